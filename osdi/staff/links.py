"""Links and codes by which staff members sign in: valid for 15 minutes, usable once, stored as hashes.

A page asks for a mail, and the worker sends it (osdi.staff.sign_in_mails). So the page answers in the same time for the
address of a member and for any other. The mail has a link, which works in each browser, and a code, which works only in
the browser that asked. A command prints a link without a mail.

A link is `{_id, created_date, expires_date, wrong_codes}`. A request for a mail also has `email`, `browser_hash`,
`not_before`, `attempts` and maybe `next`. The worker replaces `email` by `staff_id`, `hash` and `code_hash`. A used
link has `used_date`.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document
from osdi.ids import new_id
from osdi.settings import Settings
from osdi.staff.sessions import new_secret, secret_hash
from osdi.store import Insert, Store
from osdi.store.indexes import STAFF, STAFF_LINKS

LINK_PATH: Final = "/staff/link"
VALID: Final = dt.timedelta(minutes=15)
# 32 letters and digits of which no two look alike: 40 random bits.
CODE_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH: Final = 8
MAX_WRONG_CODES: Final = 5


def mails_are_sent(settings: Settings) -> bool:
    """True if this deployment can send sign-in mails."""
    return bool(settings.smtp_url and settings.mail_from)


def link_url(public_url: str, secret: str) -> str:
    """Returns the address of a sign-in link."""
    return f"{public_url}{LINK_PATH}/{secret}"


@dataclass(frozen=True)
class SignIn:
    """A link that may be used: its member, and the address of the page that the member wanted to see."""

    link_id: str
    member: Document
    next: str = ""


def request_mail(store: Store, email: str, browser: str, timestamp: dt.datetime, *, next_page: str = "") -> None:
    """Stores the request for a mail to this address, which the worker sends if it is that of a member.

    `browser` is the secret of the browser that asks.
    """
    document = _document(timestamp) | {
        "email": email,
        "browser_hash": secret_hash(browser),
        "not_before": timestamp,
        "attempts": 0,
    }
    store.write(Insert(STAFF_LINKS, document | ({"next": next_page} if next_page else {})))


def new_link(store: Store, member: Document, timestamp: dt.datetime, secret: str = "") -> str:
    """Stores a link for a member and returns its secret, a new one unless it is given, for a command that prints it."""
    secret = secret or new_secret()
    store.write(Insert(STAFF_LINKS, _document(timestamp) | {"staff_id": member["_id"], "hash": secret_hash(secret)}))
    return secret


def _document(timestamp: dt.datetime) -> Document:
    return {"_id": new_id(), "created_date": timestamp, "expires_date": timestamp + VALID, "wrong_codes": 0}


def new_code() -> str:
    """Returns a random code, as in the mail: two groups of four characters."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    return f"{code[:4]}-{code[4:]}"


def code_hash(code: str) -> str:
    """Returns the hash of a code as somebody types it: case, spaces and hyphens make no difference."""
    return secret_hash("".join(each for each in code.upper() if each.isalnum()))


def sign_in_of_link(store: Store, secret: str, timestamp: dt.datetime) -> SignIn | None:
    """Returns the sign-in that a link would make; None if it is unknown, used or expired, or its member is disabled."""
    link = store.find_one(STAFF_LINKS, {"hash": secret_hash(secret)})
    return _sign_in(store, link, timestamp) if link else None


def address_of_link(store: Store, secret: str) -> str:
    """Returns the e-mail address of an ended link's member, for the form that asks for another one; else empty."""
    link = store.find_one(STAFF_LINKS, {"hash": secret_hash(secret)})
    member = store.get(STAFF, link["staff_id"]) if link else None
    return str(member["email"]) if member else ""


def use_link(store: Store, secret: str, timestamp: dt.datetime) -> SignIn | None:
    """Uses a link up and returns its sign-in; None as for `sign_in_of_link`. Of two simultaneous uses one gets None."""
    found = sign_in_of_link(store, secret, timestamp)
    return found if found and _use(store, found.link_id, timestamp) else None


def use_code(store: Store, browser: str, code: str, timestamp: dt.datetime) -> SignIn | None:
    """Uses the link with this code up, if this browser has asked for it. Returns the sign-in or None.

    After MAX_WRONG_CODES wrong ones, no code that the browser has asked for works.
    """
    query = {"browser_hash": secret_hash(browser), "wrong_codes": {"$lt": MAX_WRONG_CODES}}
    asked = store.find(STAFF_LINKS, query, sort=("-_id",))
    matching = [each for each in asked if secrets.compare_digest(each.get("code_hash", ""), code_hash(code))]
    found = _sign_in(store, matching[0], timestamp) if matching else None
    if found and _use(store, found.link_id, timestamp):
        return found
    store.update_many(STAFF_LINKS, query, {"$inc": {"wrong_codes": 1}})
    return None


def _sign_in(store: Store, link: Document, timestamp: dt.datetime) -> SignIn | None:
    if "used_date" in link or link["expires_date"] <= timestamp:
        return None
    member = store.get(STAFF, link["staff_id"])
    if member is None or member["disabled"]:
        return None
    return SignIn(link["_id"], member, link.get("next", ""))


def _use(store: Store, link_id: str, timestamp: dt.datetime) -> bool:
    """Marks a link as used; False if another request was first."""
    unused = {"_id": link_id, "used_date": {"$exists": False}}
    return bool(store.update_many(STAFF_LINKS, unused, {"$set": {"used_date": timestamp}}))
