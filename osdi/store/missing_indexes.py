"""Which indexes are declared and not there: without most everything is slow, without a unique one posts are doubled."""

from osdi.store import Store
from osdi.store.indexes import INDEXES, PARTIAL


def missing_indexes(store: Store, *, only_unique: bool = False) -> list[str]:
    """The declared indexes that the database lacks, as `collection (field, field)`. Raises OsdiError 503.

    One that holds other documents than is declared, or is not unique, counts as lacking.
    """
    missing = []
    with store.asking():
        for collection, indexes in INDEXES.items():
            wanted = [each for each in indexes if each.unique or not only_unique]
            if not wanted:
                continue
            there = [
                (tuple(field for field, _ in each["key"]), each.get(PARTIAL), bool(each.get("unique")))
                for each in store._collection(collection).index_information().values()
            ]
            missing += [
                f"{collection} ({', '.join(each.fields)})"
                for each in wanted
                if (each.fields, each.partial, each.unique) not in there
            ]
    return missing
