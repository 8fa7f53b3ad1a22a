"""Writes docs/conformance.md, which compares this server with the pages of the standard: `python -m dev.conformance`.

The comparison takes fields from our schemas and links from real responses, so the page cannot claim what is not there.
Only the notes and general rules in `judgements` are written by hand. `page.page` raises ValueError if a schema or
a link deviates without a note, or if a note applies to nothing.
"""
