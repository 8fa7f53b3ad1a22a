"""Messages: templates of mails and texts, their validation when they are saved, and wrappers around them.

Imports: action_functions, crud, documents, errors, mail, resources, store.
"""
