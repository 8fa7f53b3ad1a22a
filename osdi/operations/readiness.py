"""Readiness checks: the database answers, accepts the login, and has the unique indexes that prevent duplicates.

Problems are returned as sentences for the operator. They contain no address, user or password, since the route is
public.
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from cachetools import TTLCache, cached
from pymongo import timeout

from osdi.errors import DatabaseUnavailable, ErrorDescription, OsdiError
from osdi.operations.foreign_documents import reject_foreign_documents
from osdi.retry import retry_for
from osdi.settings import Settings
from osdi.settings.example_values import example_sentence, example_values
from osdi.store import Store
from osdi.store.driver import NotAuthorized
from osdi.store.indexes import INDEXES, PARTIAL
from osdi.store.schema_version import NewerDatabase, WrongDatabase

CHECK_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 1.0
# Lifetime of a successful check of the indexes. Every check asks the database for a response.
INDEXES_SECONDS: Final = 30.0

UNREACHABLE: Final = "The database does not respond."
# Errors that only the operator can correct; their messages say how.
FOR_THE_OPERATOR: Final = (WrongDatabase, NotAuthorized)


class Readiness:
    """Checks the database of one store. Thread-safe."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._examples = example_values(settings)
        # An exception is not cached, so after a failed check the indexes are checked again.
        self._check_indexes = cached(TTLCache(1, INDEXES_SECONDS), lock=threading.Lock())(
            partial(_check_indexes, store)
        )

    def missing(self) -> list[str]:
        """Returns the problems as sentences; an empty list if the database is ready.

        Takes about CHECK_SECONDS at most; while the circuit breaker is open it returns immediately.
        """
        try:
            with timeout(CHECK_SECONDS):
                _ping(self._store)
                if not self._store.in_memory:
                    self._check_indexes()
        except FOR_THE_OPERATOR as error:
            return [str(error)]
        except OsdiError:
            return [UNREACHABLE]
        except _IndexesMissing as missing:
            return [_missing(str(missing))]
        return []

    def warnings(self) -> list[str]:
        """Returns, after `missing`, what is wrong and does not keep the process from serving."""
        return [*([example_sentence(self._examples)] if self._examples else ()), *self._clock()]

    def _clock(self) -> list[str]:
        if not self._store.has_wrong_clock:
            return []
        ahead = -self._store.clock_ahead
        return [
            f"This machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the database's, which "
            "the server uses instead. Correct it, for example by NTP."
        ]

    def require_unique_indexes(self) -> None:
        """Raises OsdiError 503 if the database lacks unique indexes, or is unavailable."""
        if self._store.in_memory:
            return
        try:
            self._check_indexes()
        except _IndexesMissing as missing:
            raise UniqueIndexMissing(str(missing)) from None


class UniqueIndexMissing(OsdiError):
    """The database lacks unique indexes, without which posts could be stored twice: 503, until an operator acts."""

    needs_operator = True

    def __init__(self, indexes: str) -> None:
        super().__init__(503, ErrorDescription("UNAVAILABLE", _missing(indexes)), headers={"Retry-After": "60"})


def require_prepared(store: Store) -> None:
    """Raises OsdiError 503, with a sentence, if the database has no unique indexes or belongs to another program."""
    if store.in_memory:
        return
    try:
        _check_indexes(store)
    except _IndexesMissing as missing:
        reject_foreign_documents(store)
        raise UniqueIndexMissing(str(missing)) from None


def _missing(indexes: str) -> str:
    return f"Unique indexes are missing; run `bin/osdi release` to create them: {indexes}."


class _IndexesMissing(Exception):
    """The database lacks unique indexes; the text lists them."""


def _check_indexes(store: Store) -> None:
    """Raises _IndexesMissing if the database lacks unique indexes, and OsdiError 503."""
    indexes = missing_indexes(store, only_unique=True)
    if indexes:
        raise _IndexesMissing("; ".join(indexes))


def wait_for_database(store: Store, seconds: float, report: Callable[[str], None]) -> None:
    """Returns as soon as the database answers; calls `report` once if it has to wait.

    Raises OsdiError 503 with a sentence after about `seconds`, or immediately if the database rejects the login.
    """
    try:
        retry_for(
            seconds,
            lambda: _ping(store),
            lambda error: isinstance(error, OsdiError) and not isinstance(error, FOR_THE_OPERATOR),
            pause=RETRY_SECONDS,
            on_first_failure=lambda: report(f"{UNREACHABLE} Waiting {seconds:g} s for it."),
        )
    except FOR_THE_OPERATOR:
        raise
    except OsdiError as error:
        raise DatabaseUnavailable(f"The database did not respond within {seconds:g} s.") from error


def newer_database(uri: str) -> str | None:
    """Returns the reason why a process must not use this database: a newer version of the program has migrated it.

    Returns None otherwise, also if the database does not respond within CHECK_SECONDS: the store checks the version
    again with its first operation.
    """
    store = Store(uri)
    if store.in_memory:
        return None
    try:
        _ping(store)
    except NewerDatabase as error:
        return str(error)
    except OsdiError:
        return None
    return None


def _ping(store: Store) -> None:
    """Pings a server that accepts writes. Raises OsdiError 503."""
    with timeout(CHECK_SECONDS), store.operation():
        store.connect().admin.command("ping")


def missing_indexes(store: Store, *, only_unique: bool = False) -> list[str]:
    """Returns the declared indexes that the database lacks, as `collection (field, field)`. Raises OsdiError 503.

    An index with another partial filter or another uniqueness counts as missing.
    """
    missing = []
    with store.operation():
        for collection, indexes in INDEXES.items():
            declared = [each for each in indexes if each.unique or not only_unique]
            if not declared:
                continue
            existing = [
                (tuple(field for field, _ in each["key"]), each.get(PARTIAL), bool(each.get("unique")))
                for each in store.collection(collection).index_information().values()
            ]
            missing += [
                f"{collection} ({', '.join(each.fields)})"
                for each in declared
                if (each.fields, each.partial, each.unique) not in existing
            ]
    return missing
