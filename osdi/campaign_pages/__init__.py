"""Public campaign pages: their settings, their form, and the steps after it.

Imports: access, action_functions, crud, documents, errors, etags, exporting, fields, ids, log, mail, match_keys,
messages, outreaches, resources, retry, settings, store, values.
"""
