"""Tests of the pages for browsers, in a real browser."""
