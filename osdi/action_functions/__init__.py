"""OSDI's Helper Action Functions: add tags, lists and answers to a person, and ask for follow-ups (`triggers`).

`resolve` looks up what a body names before anything is written; `apply` adds it to the person. Pure: callers hand in
a function that looks resources up.

Imports: documents, errors, resources.
"""
