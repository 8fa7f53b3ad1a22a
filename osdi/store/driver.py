"""The connection to MongoDB: how long it waits, how durably it writes, and what its errors become.

The rest of the store uses this and nothing else of the driver's behaviour is left to defaults.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from pymongo import MongoClient, WriteConcern, timeout
from pymongo.client_session import ClientSession
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidURI,
    PyMongoError,
    WriteConcernError,
)
from pymongo.uri_parser import parse_uri

from osdi.documents import Document
from osdi.errors import DuplicateKey, ErrorDescription, OsdiError, WriteConflict, document_too_large, unavailable
from osdi.store.circuit_breaker import CircuitBreaker
from osdi.store.stale_transactions import APP_NAME

DURABLE: Final = WriteConcern(w="majority", j=True)
MOCK: Final = "mongomock://"
DATABASE: Final = "osdi"

# A platform's router gives up at 30 s. A database that hangs is waited for once, then a new primary is looked for, as
# long as a failover takes; together they stay below 20 s, or 23 where that one hangs too (see deadline).
SOCKET_TIMEOUT_MS: Final = 5_500
SERVER_SELECTION_TIMEOUT_MS: Final = 12_000
# How often the driver looks after the servers, and how long it waits for their answer to that: the two together are
# how late it sees that one hangs.
HEARTBEAT_MS: Final = 2_000
CONNECT_TIMEOUT_MS: Final = 3_000

ABORT_SECONDS: Final = 1.0

# A filter that no index serves may read a whole collection: the server gives it up before we stop waiting for it.
READ_MS: Final = 5_000

# What says that the server is away, changes its role, or could not promise durability: the request may be sent again.
AWAY: Final = (ConnectionFailure, ExecutionTimeout, WriteConcernError, ConfigurationError)
AWAY_CODES: Final = frozenset({6, 7, 64, 89, 91, 100, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
# Unauthorized, AuthenticationFailed, and Atlas's own for both.
REFUSED_CODES: Final = frozenset({13, 18, 8000})
UNSURE: Final = ("RetryableWriteError", "UnknownTransactionCommitResult")
DUPLICATE_KEY: Final = 11000
TOO_LARGE_CODES: Final = frozenset({10334, 17419, 17420})


class Refused(OsdiError):
    """The database answers and does not let us: 503, with a sentence for the operator."""

    def __init__(self) -> None:
        told = "The database refuses us: are the user and password of MONGODB_URI right, and may that user write?"
        super().__init__(503, ErrorDescription("UNAVAILABLE", told), headers={"Retry-After": "60"})


def check_uri(uri: str) -> None:
    """Raises ValueError that says what is wrong with a connection string; hosts are not looked up."""
    if uri.startswith(MOCK):
        return
    try:
        # An SRV record is asked for when the client connects: at start the network may not be there yet.
        parse_uri(uri.replace("mongodb+srv://", "mongodb://", 1))
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise ValueError(str(error)) from error


def database_name(uri: str) -> str:
    """The database that a connection string names, or ours where it names none."""
    return parse_uri(uri.replace("mongodb+srv://", "mongodb://", 1))["database"] or DATABASE


@contextmanager
def driver_errors() -> Iterator[None]:
    """The one boundary where what pymongo raises becomes what this project raises."""
    try:
        yield
    except DuplicateKeyError as error:
        raise DuplicateKey(str(error)) from error
    except DocumentTooLarge as error:  # the driver's own measure; not a PyMongoError
        raise document_too_large("document") from error
    except PyMongoError as error:
        code = getattr(error, "code", None)
        if code in TOO_LARGE_CODES:
            raise document_too_large("document") from error
        if code in REFUSED_CODES:
            raise Refused from error
        # Inside a transaction a lost connection means that nothing was committed, so the race is run again; but where
        # the server hangs, or none is there, the time is used up, and the client is told.
        if error.has_error_label("TransientTransactionError") and not error.timeout:
            raise WriteConflict(str(error)) from error
        if _is_away(error):
            raise unavailable("The database does not answer at the moment.") from error
        raise


def _is_away(error: PyMongoError) -> bool:
    """True if the server is away, changes its role or could not promise durability."""
    if error.timeout or isinstance(error, AWAY) or getattr(error, "code", None) in AWAY_CODES:
        return True
    if isinstance(error, BulkWriteError) and error.details["writeConcernErrors"]:
        return True
    return any(map(error.has_error_label, UNSURE))


def only_duplicate_keys(error: BulkWriteError) -> bool:
    """True if unique indexes refused some of the writes, and every other write was done and is durable."""
    refused, not_durable = error.details["writeErrors"], error.details["writeConcernErrors"]
    return not not_durable and all(each["code"] == DUPLICATE_KEY for each in refused)


def abort(session: ClientSession) -> None:
    """Give up the transaction's locks at once; a server that cannot be told gives them up by itself later."""
    with suppress(PyMongoError), timeout(ABORT_SECONDS):
        session.abort_transaction()


def connect(uri: str) -> tuple[MongoClient[Document], CircuitBreaker]:
    """A client for this connection string, and the circuit that listens to it.

    What the string says about durability, time-outs and which member is read does not count.
    """
    circuit = CircuitBreaker(SERVER_SELECTION_TIMEOUT_MS / 1000)
    if uri.startswith(MOCK):
        return _in_memory(), circuit
    client: MongoClient[Document] = MongoClient(
        uri,
        appname=APP_NAME,
        w="majority",
        journal=True,
        retryWrites=True,
        # What was just written has to be found; a secondary may not have it yet.
        readPreference="primary",
        # Not `timeoutMS`, which bounds an operation with its retry as a whole: it costs each of them 60 microseconds.
        socketTimeoutMS=SOCKET_TIMEOUT_MS,
        serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MS,
        connectTimeoutMS=CONNECT_TIMEOUT_MS,
        heartbeatFrequencyMS=HEARTBEAT_MS,
        event_listeners=[circuit],
    )
    return client, circuit


def _in_memory() -> MongoClient[Document]:
    """The fallback without a server: nothing is kept, and unique indexes on arrays are not enforced."""
    import mongomock  # only where it is asked for: it costs memory and start-up time

    return mongomock.MongoClient(tz_aware=False)
