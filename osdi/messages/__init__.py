"""Messages: templates of mails and text messages, their validation when a client saves them, and their wrappers.

Imports: action_functions, crud, documents, errors, mail, resources, store.
"""
