"""The domain: one folder per capability, each with its rules and its queries. docs/architecture.md lists them.

Modules beside the folders are what every capability uses: resources, errors, ids, documents, match keys, HAL,
settings. Imports run in one direction, by the layers in dev/architecture.py; a test checks them.
"""
