"""OSDI's Helper Action Functions: add tags, lists and answers to a person, and request follow-ups (`triggers`).

`resolve` looks up the references of a body before anything is written, and adds the result to the person. Pure: callers
pass a function that looks resources up.

Imports: documents, errors, resources, values.
"""
