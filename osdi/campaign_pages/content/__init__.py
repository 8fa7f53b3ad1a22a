"""Stored text as content of a page: descriptions as safe HTML, and addresses that may be links."""
