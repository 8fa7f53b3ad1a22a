"""Which indexes are declared and not there: everything works without them, but for one slow scan after another."""

from osdi.store import Store
from osdi.store.indexes import INDEXES, PARTIAL


def missing_indexes(store: Store) -> list[str]:
    """The declared indexes that the database lacks, as `collection (field, field)`. Raises OsdiError 503.

    One that holds other documents than is declared counts as lacking: queries cannot use it.
    """
    missing = []
    with store.asking():
        for collection, indexes in INDEXES.items():
            there = [
                (tuple(field for field, _ in each["key"]), each.get(PARTIAL))
                for each in store._collection(collection).index_information().values()
            ]
            missing += [
                f"{collection} ({', '.join(each.fields)})"
                for each in indexes
                if (each.fields, each.partial) not in there
            ]
    return missing
