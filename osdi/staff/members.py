"""Staff members: people who may sign in to the staff pages, each with the scopes of a token.

A member is `{_id, version, email, name, scopes, created_date, disabled, person_id?, advocacy_campaign_id?}`. The e-mail
address is unique. A disabled member stays stored, so that an operator can look an id of the audit log up.
"""

from collections.abc import Sequence
from typing import Final

from osdi.access.tokens import SCOPES, Caller
from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError, WriteConflict, conflict, invalid
from osdi.ids import new_id, now
from osdi.mail.mailboxes import with_ascii_domain
from osdi.retry import retry_on_conflict
from osdi.store import Insert, Store, Update
from osdi.store.indexes import STAFF, STAFF_LINKS, STAFF_SESSIONS

MAX_ADDRESS_LENGTH: Final = 254
MAX_NAME_LENGTH: Final = 100


def staff_address(text: str) -> str:
    """Returns an e-mail address in the form in which it is stored and compared. Raises OsdiError 400."""
    try:
        if len(text) > MAX_ADDRESS_LENGTH:
            raise ValueError
        return with_ascii_domain(text.strip().casefold())
    except ValueError as error:
        raise invalid("Enter an e-mail address such as ada@example.org.", "email") from error


def add_member(
    store: Store,
    email: str,
    *,
    name: str = "",
    scopes: Sequence[str] = SCOPES,
    person_id: str | None = None,
    advocacy_campaign_id: str | None = None,
) -> Document:
    """Stores a new member and returns it. Raises OsdiError 400 for a wrong address or name, 409 for a known one."""
    address = staff_address(email)
    if not name.isprintable() or len(name) > MAX_NAME_LENGTH:
        raise invalid(f"Use at most {MAX_NAME_LENGTH} printable characters.", "name")
    member: Document = {
        "_id": new_id(),
        "version": 1,
        "email": address,
        "name": name.strip() or address,
        "scopes": list(scopes),
        "created_date": now(),
        "disabled": False,
    }
    bound = {"person_id": person_id, "advocacy_campaign_id": advocacy_campaign_id}
    member |= {field: value for field, value in bound.items() if value}
    try:
        store.write(Insert(STAFF, member))
    except WriteConflict as known:
        raise conflict("STAFF_EXISTS", f"{address} is a staff member already.", "email") from known
    return member


def find_member(store: Store, email_or_id: str) -> Document | None:
    """Returns the member with this id or e-mail address, or None."""
    found = store.get(STAFF, email_or_id)
    if found is None and "@" in email_or_id:
        found = store.find_one(STAFF, {"email": staff_address(email_or_id)})
    return found


def all_members(store: Store) -> list[Document]:
    """Returns every member, the oldest first."""
    return store.find(STAFF, {}, sort=("_id",))


def set_disabled(store: Store, member_id: str, *, disabled: bool) -> Document:
    """Disables or enables a member, and returns the member. Raises OsdiError 404.

    A disabled member's sessions and links end.
    """

    def attempt() -> Document:
        member = store.get(STAFF, member_id)
        if member is None:
            raise OsdiError(404, ErrorDescription("NOT_FOUND", "There is no such staff member."))
        store.write(Update(STAFF, member_id, member["version"], {"disabled": disabled}))
        return {**member, "disabled": disabled}

    member = retry_on_conflict(attempt)
    if disabled:
        for collection in (STAFF_SESSIONS, STAFF_LINKS):
            store.delete_many(collection, {"staff_id": member_id})
    return member


def remove_member(store: Store, member_id: str) -> None:
    """Deletes a member with all sessions and links; safe to repeat. Events of the audit log keep the id."""
    store.delete_many(STAFF, {"_id": member_id})
    for collection in (STAFF_SESSIONS, STAFF_LINKS):
        store.delete_many(collection, {"staff_id": member_id})


def caller_of(member: Document, session_id: str) -> Caller:
    """Returns the caller that a session of this member makes.

    The log shows the caller's name, so it has the member's id and not the member's name.
    """
    return Caller(
        token_id=session_id,
        name=f"staff {member['_id']}",
        scopes=frozenset(member["scopes"]),
        person_id=member.get("person_id"),
        advocacy_campaign_id=member.get("advocacy_campaign_id"),
        holder_id=member["_id"],
    )
