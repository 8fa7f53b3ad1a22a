"""Public campaign pages: their settings, their form, and the steps after it.

Imports: access, action_functions, crud, documents, errors, exporting, fields, ids, mail, outreaches, resources, retry,
store, values.
"""
