"""Whether the database serves: it answers, lets us in, and has the unique indexes, without which posts are doubled.

What stands in the way is told in sentences for whoever runs this. They name no address, user or password, since anybody
may ask.
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from cachetools import TTLCache, cached
from pymongo import timeout

from osdi.errors import OsdiError, unavailable
from osdi.retry import retry_for
from osdi.store import Store
from osdi.store.driver import Refused
from osdi.store.indexes import INDEXES, PARTIAL
from osdi.store.schema_version import NewerDatabase, WrongDatabase

ANSWER_SECONDS: Final = 2.0
ASK_AGAIN_SECONDS: Final = 1.0
# That indexes were there is remembered; whether the database answers is asked each time.
REMEMBERED_SECONDS: Final = 30.0

AWAY: Final = "The database does not answer."
# Waiting changes nothing about these, and each says itself what is wrong.
FOR_THE_OPERATOR: Final = (WrongDatabase, Refused)


class Readiness:
    """Looks at the database of one store; threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # An error is not cached, so missing indexes are looked for each time.
        self._check_indexes = cached(TTLCache(1, REMEMBERED_SECONDS), lock=threading.Lock())(partial(_check, store))

    def missing(self) -> list[str]:
        """What is missing, as sentences: after ANSWER_SECONDS and a half at most, at once where it is away."""
        try:
            with timeout(ANSWER_SECONDS):
                _ask(self._store)
                if not self._store.in_memory:
                    self._check_indexes()
        except FOR_THE_OPERATOR as error:
            return [str(error)]
        except OsdiError:
            return [AWAY]
        except _IndexesMissing as missing:
            return [f"These unique indexes, which `flask --app wsgi release` creates: {missing}."]
        return []


class _IndexesMissing(Exception):
    """The database lacks unique indexes; the text lists them."""


def _check(store: Store) -> None:
    """Raises _IndexesMissing, OsdiError 503."""
    indexes = missing_indexes(store, only_unique=True)
    if indexes:
        raise _IndexesMissing("; ".join(indexes))


def wait_until_it_answers(store: Store, seconds: float, tell: Callable[[str], None]) -> None:
    """Return as soon as the database answers, and `tell` that it is waited for.

    Raises OsdiError 503 with a sentence after about `seconds`, or at once where the database refuses us.
    """
    try:
        retry_for(
            seconds,
            lambda: _ask(store),
            lambda error: isinstance(error, OsdiError) and not isinstance(error, FOR_THE_OPERATOR),
            pause=ASK_AGAIN_SECONDS,
            on_first_failure=lambda: tell(f"{AWAY} Waiting {seconds:g} s for it."),
        )
    except FOR_THE_OPERATOR:
        raise
    except OsdiError as error:
        said = f"The database did not answer within {seconds:g} s. Does it run where MONGODB_URI says?"
        raise unavailable(said) from error


def newer_database(uri: str) -> str | None:
    """Why a process must not start on the database behind a connection string: a newer program has migrated it.

    None where it may, and where that is not known within ANSWER_SECONDS: the process learns it when it first asks.
    """
    store = Store(uri)
    if store.in_memory:
        return None
    try:
        _ask(store)
    except NewerDatabase as error:
        return str(error)
    except OsdiError:
        return None
    return None


def _ask(store: Store) -> None:
    """Ask a server that takes writes whether it is there. Raises OsdiError 503."""
    with timeout(ANSWER_SECONDS), store.operation():
        store.connect().admin.command("ping")


def missing_indexes(store: Store, *, only_unique: bool = False) -> list[str]:
    """The declared indexes that the database lacks, as `collection (field, field)`. Raises OsdiError 503.

    One that holds other documents than is declared, or is not unique, counts as lacking.
    """
    missing = []
    with store.operation():
        for collection, indexes in INDEXES.items():
            wanted = [each for each in indexes if each.unique or not only_unique]
            if not wanted:
                continue
            there = [
                (tuple(field for field, _ in each["key"]), each.get(PARTIAL), bool(each.get("unique")))
                for each in store.collection(collection).index_information().values()
            ]
            missing += [
                f"{collection} ({', '.join(each.fields)})"
                for each in wanted
                if (each.fields, each.partial, each.unique) not in there
            ]
    return missing
