"""Sessions of staff members: a browser that has signed in has 256 random bits, which are stored as a hash.

A session ends 12 hours after its last use, 7 days after the sign-in, when somebody revokes it, and when its member is
disabled. Each sign-in makes a new session, and ends the one that the browser had.
"""

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from osdi.access.tokens import Caller
from osdi.documents import Document
from osdi.ids import new_id
from osdi.staff.members import caller_of
from osdi.store import Insert, Store
from osdi.store.indexes import STAFF, STAFF_SESSIONS

IDLE: Final = dt.timedelta(hours=12)
MAX_AGE: Final = dt.timedelta(days=7)
# A sign-in younger than this is fresh enough for tokens, erasures and exports.
FRESH: Final = dt.timedelta(minutes=10)
MINUTE: Final = dt.timedelta(minutes=1)

UNKNOWN_DEVICE: Final = "Unknown browser"
# The first that is found counts: other browsers call themselves Chrome and Safari too.
BROWSERS: Final = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
SYSTEMS: Final = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux"),
)


@dataclass(frozen=True)
class StaffSession:
    """A session that is valid now, and its member."""

    document: Document
    member: Document

    @property
    def session_id(self) -> str:
        found: str = self.document["_id"]
        return found

    @property
    def caller(self) -> Caller:
        return caller_of(self.member, self.session_id)

    def is_fresh(self, timestamp: dt.datetime) -> bool:
        """True if the member signed in a short time before this timestamp (naive UTC)."""
        created: dt.datetime = self.document["created_date"]
        return timestamp - created < FRESH and not self.document.get("by_known_browser", False)


def new_secret() -> str:
    """Returns 256 random bits as text."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """Returns the hash that is stored. A plain hash is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def begin_session(
    store: Store, member: Document, device: str, timestamp: dt.datetime, *, former: str = "", fresh: bool = True
) -> tuple[str, StaffSession]:
    """Stores a new session and returns its secret and the session. The session with the secret `former` ends.

    Without `fresh` nobody has shown to be the member just now, so the session is not fresh from its first moment.
    """
    secret = new_secret()
    document: Document = {
        "_id": new_id(),
        "hash": secret_hash(secret),
        "staff_id": member["_id"],
        "device": device,
        "created_date": timestamp,
        "last_used_date": timestamp,
        "expires_date": timestamp + MAX_AGE,
    }
    if not fresh:
        document["by_known_browser"] = True
    store.write(Insert(STAFF_SESSIONS, document))
    if former:
        store.delete_many(STAFF_SESSIONS, {"hash": secret_hash(former)})
    return secret, StaffSession(document, member)


def find_session(store: Store, secret: str, timestamp: dt.datetime) -> StaffSession | None:
    """Returns the session with this secret at a timestamp (naive UTC), and records its use.

    Returns None if there is none, if it has ended, or if its member is disabled. Raises OsdiError 503.
    """
    document = store.find_one(STAFF_SESSIONS, {"hash": secret_hash(secret)})
    if document is None or not is_valid(document, timestamp):
        return None
    member = store.get(STAFF, document["staff_id"])
    if member is None or member["disabled"]:
        return None
    if timestamp - document["last_used_date"] >= MINUTE:
        store.update_many(STAFF_SESSIONS, {"_id": document["_id"]}, {"$max": {"last_used_date": timestamp}})
    return StaffSession(document, member)


def is_valid(document: Document, timestamp: dt.datetime) -> bool:
    """True if a stored session has not ended by time."""
    return bool(timestamp < document["expires_date"] and timestamp - document["last_used_date"] < IDLE)


def sessions_of(store: Store, member_id: str, timestamp: dt.datetime) -> list[Document]:
    """Returns the valid sessions of a member, the last used first."""
    found = store.find(STAFF_SESSIONS, {"staff_id": member_id}, sort=("-last_used_date",))
    return [each for each in found if is_valid(each, timestamp)]


def end_session(store: Store, member_id: str, session_id: str) -> bool:
    """Ends one session of a member; False if the member has no such session."""
    return bool(store.delete_many(STAFF_SESSIONS, {"_id": session_id, "staff_id": member_id}))


def end_all_sessions(store: Store, member_id: str) -> int:
    """Ends all sessions of a member; returns how many there were."""
    return store.delete_many(STAFF_SESSIONS, {"staff_id": member_id})


def device_name(user_agent: str) -> str:
    """Returns a name for a browser by its User-Agent, such as `Firefox on Windows`; the rest is not stored."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or UNKNOWN_DEVICE


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, user_agent)), "")
