"""MongoDB: connection, transactions, driver errors, indexes and the schema version, for every capability.

Every write is acknowledged by a majority and journaled. No module of this folder has rules of a resource.

Imports: documents, errors, fields, ids, log, paging, resources, retry.
"""

from osdi.store.interface import DocumentStore
from osdi.store.store import Store
from osdi.store.writes import Delete, Insert, Replace, Update, Write

__all__ = ["Delete", "DocumentStore", "Insert", "Replace", "Store", "Update", "Write"]
