"""Messages: templates of mails and text messages, their validation when a client saves them, and their wrappers.

Imports: action_functions, documents, errors, fields, languages, mail, resources, store, values.
"""
