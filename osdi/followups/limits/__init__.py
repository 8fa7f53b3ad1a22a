"""Limits of follow-ups of posts without a token: an interval for each mailbox, and the sending limits.

Imports: access, action_functions, documents, errors, ids, match_keys, settings, store, suppression.
"""
