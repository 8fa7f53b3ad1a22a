"""Transactions: many writes with few commands, the writes of several threads together, and locks of dead processes.

Imports: documents, errors, store.
"""
