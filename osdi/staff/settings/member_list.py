"""Staff members as the settings pages list them, and what administrators do with other members."""

import datetime as dt
from dataclasses import dataclass

from osdi.access.token_changes import check_bound, check_scopes
from osdi.documents import Document
from osdi.errors import conflict, not_found
from osdi.settings import Settings
from osdi.staff.links import link_url, mails_are_sent, new_link, request_mail
from osdi.staff.members import add_member, all_members, find_member, set_disabled
from osdi.staff.sessions import end_all_sessions, new_secret, sessions_of
from osdi.staff.settings.bound import campaign_titles
from osdi.store import Store


@dataclass(frozen=True)
class MemberRow:
    """A member; `campaign` is the title of the only campaign, None for one that was deleted.

    `browsers` is the number of browsers in which the member is signed in, and `last_used` the last use of one.
    """

    member: Document
    campaign: str | None
    browsers: int
    last_used: dt.datetime | None


@dataclass(frozen=True)
class NewMember:
    """The values of the form for a new member. An empty id binds the member to nothing."""

    email: str = ""
    name: str = ""
    scopes: tuple[str, ...] = ()
    person_id: str = ""
    advocacy_campaign_id: str = ""


def member_list(store: Store, timestamp: dt.datetime) -> list[MemberRow]:
    """Returns every member at a timestamp (naive UTC), the oldest first. Raises OsdiError 503."""
    found = all_members(store)
    titles = campaign_titles(store, found)
    return [_row(store, each, titles, timestamp) for each in found]


def get_member(store: Store, member_id: str) -> Document:
    """Returns a member by id. Raises OsdiError 404."""
    found = find_member(store, member_id)
    if found is None or found["_id"] != member_id:
        raise not_found("There is no such staff member.")
    return found


def add(store: Store, new: NewMember) -> Document:
    """Stores a new member and returns it. Raises OsdiError 400 for a wrong value, 409 for a known address."""
    check_scopes(new.scopes)
    bound = (new.person_id or None, new.advocacy_campaign_id or None)
    check_bound(store, *bound)
    return add_member(
        store, new.email, name=new.name, scopes=new.scopes, person_id=bound[0], advocacy_campaign_id=bound[1]
    )


def invite(store: Store, settings: Settings, base_url: str, member: Document, timestamp: dt.datetime) -> str:
    """Lets the worker mail the member a sign-in link, and returns an empty text; without mail it returns the link.

    Raises OsdiError 409 for a disabled member.
    """
    if member["disabled"]:
        raise conflict("STAFF_DISABLED", "This member is disabled. Enable the member first.")
    if mails_are_sent(settings):
        # No browser has asked for this mail, so its code fits no browser: the link does.
        request_mail(store, member["email"], new_secret(), timestamp)
        return ""
    return link_url(settings.public_url or base_url, new_link(store, member, timestamp))


def disable(store: Store, member_id: str, acting_id: str) -> Document:
    """Disables another member than the acting one, so that somebody stays who can enable members.

    Raises OsdiError 404, and 409 for the own account.
    """
    if member_id == acting_id:
        raise conflict("OWN_ACCOUNT", "You cannot disable your own account. Another administrator can.")
    return set_disabled(store, member_id, disabled=True)


def sign_out_everywhere(store: Store, member_id: str) -> int:
    """Ends all sessions of a member and returns their number. Raises OsdiError 404."""
    return end_all_sessions(store, get_member(store, member_id)["_id"])


def _row(store: Store, member: Document, titles: dict[str, str], timestamp: dt.datetime) -> MemberRow:
    sessions = sessions_of(store, member["_id"], timestamp)
    last_used = sessions[0]["last_used_date"] if sessions else None
    return MemberRow(member, titles.get(member.get("advocacy_campaign_id", "")), len(sessions), last_used)
