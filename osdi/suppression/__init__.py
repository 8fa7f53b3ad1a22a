"""Suppression list: which e-mail addresses and phone numbers refuse mail, calls or texts, since when, and from where.

The list is separate from people, so that an opt-out outlives a person who is deleted, merged or erased. An entry holds
keyed hashes, and no address or number. Everything that sends reads the list, and so does everything that subscribes.

Imports: access, action_functions, documents, errors, ids, match_keys, resources, retry, store.
"""
