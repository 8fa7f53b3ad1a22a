"""Messages: templates of mails and texts, their validation when they are saved, and wrappers around them.

Imports: action_functions, documents, errors, fields, mail, resources, store.
"""
