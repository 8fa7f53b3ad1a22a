"""MongoDB: connection, transactions, driver errors, indexes and the schema version, for every capability.

Nothing in this folder knows what a resource means. May import `osdi.documents`, `osdi.errors`, `osdi.ids`,
`osdi.paging` and `osdi.resources`.
"""

from osdi.store.store import Store
from osdi.store.writes import Delete, Insert, Replace, Update, Write

__all__ = ["Delete", "Insert", "Replace", "Store", "Update", "Write"]
