"""Public campaign pages: their settings, their form, and the steps after it.

Imports: documents, resources, store.
"""
