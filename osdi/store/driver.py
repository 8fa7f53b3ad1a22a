"""The connection to MongoDB: its time-outs, the durability of its writes, and the translation of its errors."""

import datetime as dt
import re
import time
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
    ProtocolError,
    PyMongoError,
    WriteConcernError,
)
from pymongo.uri_parser import parse_uri

from osdi.documents import Document
from osdi.errors import (
    DatabaseUnavailable,
    DuplicateKey,
    ErrorDescription,
    OsdiError,
    WriteConflict,
    document_too_large,
)
from osdi.store.circuit_breaker import CircuitBreaker
from osdi.store.transactions.stale_transactions import APP_NAME

DURABLE: Final = WriteConcern(w="majority", j=True)
MOCK: Final = "mongomock://"
DATABASE: Final = "osdi"
CONNECTION_STRING: Final = re.compile(
    r"(?P<scheme>mongodb(?:\+srv)?://)(?P<hosts>[^/?]+)(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?"
)

# A platform's router gives up at 30 s. An operation waits once for a database that hangs, then for a new primary, as
# long as a failover takes. Together they stay below 20 s, or 23 s if the new one hangs too (see request_deadline).
SOCKET_TIMEOUT_MS: Final = 5_500
SERVER_SELECTION_TIMEOUT_MS: Final = 12_000
# The driver checks the servers this often, and waits this long for their reply. It notices a server that hangs after
# both together at the latest.
HEARTBEAT_MS: Final = 2_000
CONNECT_TIMEOUT_MS: Final = 3_000

ABORT_SECONDS: Final = 1.0
# A slower reply says too little about the time at which the server read its clock.
CLOCK_REPLY_SECONDS: Final = 1.0

# A filter that no index serves may read a whole collection: the server aborts it before the socket times out.
READ_MS: Final = 5_000

# Errors of a server that is away, changes its role or could not promise durability: the client may repeat the request.
# After a reply that cannot be read (ProtocolError), nobody knows if the write was done.
AWAY: Final = (ConnectionFailure, ExecutionTimeout, WriteConcernError, ConfigurationError, ProtocolError)
# The same as error codes, by the categories of https://github.com/mongodb/mongo (src/mongo/base/error_codes.yml). The
# driver repeats some of them itself. An error with any other code would come again, so it is an error of this program.
AWAY_CODES: Final = frozenset(
    {
        # The network, a change of roles, and a shutdown.
        *(6, 7, 71, 74, 89, 91, 94, 133, 134, 172, 189, 202, 216, 317, 384, 398),
        *(9001, 10058, 10107, 11600, 11602, 13435, 13436),
        # Durability, which the server could not confirm, and an outcome that it does not know.
        *(1, 8, 64, 75, 77, 79, 82, 83, 96, 100, 244),
        # An operation that was interrupted by an operator or a limit of time, and a cursor or snapshot that is gone.
        *(24, 43, 46, 50, 90, 107, 143, 175, 237, 246, 251, 262, 267, 276, 279, 281, 282, 290, 314, 355, 363),
        *(407, 453, 11601, 46841, 91331, 10045600),
        # Too few resources, and writes that an operator has stopped.
        *(39, 42, 146, 208, 215, 261, 264, 365, 371, 388, 402, 412, 433, 449, 450, 462, 14031),
        # A sharded cluster that moves data.
        *(63, 70, 149, 150, 203, 211, 249, 250, 272, 343, 13388, 56846),
    }
)
# Unauthorized, AuthenticationFailed, and Atlas's own for both.
NOT_AUTHORIZED_CODES: Final = frozenset({13, 18, 8000})
UNSURE: Final = ("RetryableWriteError", "UnknownTransactionCommitResult", "SystemOverloadedError", "RetryableError")
DUPLICATE_KEY: Final = 11000
TOO_LARGE_CODES: Final = frozenset({10334, 17419, 17420})


class NotAuthorized(OsdiError):
    """The database rejects our user: 503, with a sentence for the operator."""

    needs_operator = True

    def __init__(self) -> None:
        message = "The database rejects the user of MONGODB_URI: check its name, password and write permission."
        super().__init__(503, ErrorDescription("UNAVAILABLE", message), headers={"Retry-After": "60"})


def check_uri(uri: str) -> None:
    """Raises ValueError, whose text is for the operator, if a connection string is not valid; looks no host up."""
    if uri.startswith(MOCK):
        return
    try:
        # The client looks an SRV record up when it connects: at start the network may not be ready.
        parse_uri(uri.replace("mongodb+srv://", "mongodb://", 1))
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise ValueError(str(error)) from error


def database_name(uri: str) -> str:
    """Returns the name of the database in a connection string, or DATABASE without one."""
    return parse_uri(uri.replace("mongodb+srv://", "mongodb://", 1))["database"] or DATABASE


def database_hosts(uri: str) -> str:
    """Returns the hosts of a connection string, without user and password: `db1:27017, db2:27017`."""
    hosts = parse_uri(uri.replace("mongodb+srv://", "mongodb://", 1))["nodelist"]
    return ", ".join(f"{host}:{port}" for host, port in hosts)


def with_database(uri: str, name: str) -> str:
    """Returns a connection string for another database of the same server, with the same login."""
    found = CONNECTION_STRING.fullmatch(uri)
    if not found:
        raise ValueError("Not a connection string of MongoDB.")
    options = found["options"] or ""
    # A login is checked in the database of the string, unless an option or the SRV record names another one.
    if "@" in found["hosts"] and "srv" not in found["scheme"] and "authsource=" not in options.lower():
        options = f"{options}{'&' if options else ''}authSource={found['database'] or 'admin'}"
    return f"{found['scheme']}{found['hosts']}/{name}" + (f"?{options}" if options else "")


@contextmanager
def driver_errors() -> Iterator[None]:
    """Translates errors of pymongo into those of this project; any other error passes.

    Raises DuplicateKey, WriteConflict, OsdiError 413 and 503 (one is NotAuthorized). Their messages contain nothing
    of the driver's message, which has values of documents in it.
    """
    try:
        yield
    except DuplicateKeyError as error:
        raise DuplicateKey("A unique index rejected the write.") from error
    except DocumentTooLarge as error:  # measured by the driver; not a PyMongoError
        raise document_too_large("document") from error
    except PyMongoError as error:
        code = getattr(error, "code", None)
        if code in TOO_LARGE_CODES:
            raise document_too_large("document") from error
        if code in NOT_AUTHORIZED_CODES:
            raise NotAuthorized from error
        # A connection that is lost inside a transaction means that nothing was committed, so the caller retries. If the
        # server hangs, or there is none, the time is used up: 503.
        if error.has_error_label("TransientTransactionError") and not error.timeout:
            raise WriteConflict("Another transaction was first.") from error
        if _is_away(error):
            raise DatabaseUnavailable from error
        raise


def _is_away(error: PyMongoError) -> bool:
    """True if the server is away or overloaded, changes its role, or cannot say if the write is done and durable."""
    if error.timeout or isinstance(error, AWAY) or getattr(error, "code", None) in AWAY_CODES:
        return True
    if isinstance(error, BulkWriteError):
        rejected = {each.get("code") for each in error.details["writeErrors"]}
        if error.details["writeConcernErrors"] or not rejected.isdisjoint(AWAY_CODES):
            return True
    return any(map(error.has_error_label, UNSURE))


def only_duplicate_keys(error: BulkWriteError) -> bool:
    """True if unique indexes rejected some of the writes, and every other write was done and is durable."""
    rejected, not_durable = error.details["writeErrors"], error.details["writeConcernErrors"]
    return not not_durable and all(each["code"] == DUPLICATE_KEY for each in rejected)


def abort(session: ClientSession) -> None:
    """Aborts a transaction, which releases its locks; a server that cannot be reached releases them later."""
    with suppress(PyMongoError), timeout(ABORT_SECONDS):
        session.abort_transaction()


def server_clock_ahead(client: MongoClient[Document]) -> float | None:
    """Returns the seconds by which the server's clock is ahead of this machine's; None if the reply took too long."""
    began, sent_at = time.monotonic(), time.time()
    local_time = client.admin.command("hello").get("localTime")
    took = time.monotonic() - began
    if local_time is None or took > CLOCK_REPLY_SECONDS:
        return None
    return float(local_time.replace(tzinfo=dt.UTC).timestamp() - sent_at - took / 2)


def connect(uri: str) -> tuple[MongoClient[Document], CircuitBreaker]:
    """Returns a client for this connection string, and the circuit breaker that listens to it.

    Options of the string about durability, time-outs and the read preference do not apply.
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
        # A read has to find the last write; a secondary may not have it yet.
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
    """Returns the fallback without a server: it keeps nothing, and does not enforce unique indexes on arrays."""
    import mongomock  # only here: it costs memory and start-up time

    return mongomock.MongoClient(tz_aware=False)
