"""Suppression list: the e-mail addresses and phone numbers that opted out of mail, calls or texts, and since when.

The list is separate from people, so that an opt-out outlives a person who is deleted, merged or erased. An entry holds
keyed hashes, and no address or number. Everything that sends reads the list, and so does everything that subscribes.

Imports: access, action_functions, documents, errors, ids, match_keys, resources, retry, store.
"""
