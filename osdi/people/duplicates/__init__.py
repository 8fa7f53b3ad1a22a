"""Possible duplicates among people: groups for the API, pairs for the staff pages, and the pairs that are not the same.

Imports what `osdi/people/` may import, and nothing else of `osdi/people/` but look-ups and merged copies.
"""
