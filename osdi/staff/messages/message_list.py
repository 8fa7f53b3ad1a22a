"""Messages as the staff pages list and change them: which campaigns use each, and the change of one."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.action_functions.followup_kinds import AUTORESPONSE, EMAIL, TRIGGERS, fits
from osdi.action_functions.triggers import sends_for_every_outreach
from osdi.campaign_pages.page_settings import PageSettings
from osdi.crud.create import create
from osdi.crud.put import Change, put
from osdi.crud.reference_cache import Reference
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import not_found
from osdi.messages.validation import check_sendable
from osdi.resources import ADVOCACY_CAMPAIGN, MESSAGE, OUTREACH
from osdi.settings import Settings
from osdi.staff.campaign_list import MAX_CAMPAIGNS, title_of
from osdi.store import Store

PER_PAGE: Final = 25
# The outreaches in which a request is looked for.
LATEST: Final = 100


@dataclass(frozen=True)
class Use:
    """A campaign that names a message.

    `default` is True if posts that name no message get this one, `every` if the campaign sends it for every outreach.
    """

    campaign_id: str
    campaign: str
    kind: str
    default: bool
    every: bool
    page: bool


@dataclass(frozen=True)
class MessageRow:
    """A message, and the campaigns that name it."""

    message_id: str
    name: str
    type: str
    subject: str
    changed: dt.datetime
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class MessageList:
    """A page of messages, newest first, and the number of all."""

    rows: tuple[MessageRow, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def message_list(store: Store, reference: Reference, page: int = 1) -> MessageList:
    """Returns a page of messages, from 1 on; the last one for a page behind it. Raises OsdiError 503."""
    total = store.count(MESSAGE.collection, {})
    page = max(1, min(page, -(-total // PER_PAGE)))
    first = (page - 1) * PER_PAGE
    # There are few messages, so those ahead of the page are read too.
    found = store.find(MESSAGE.collection, {}, sort=("-_id",), limit=first + PER_PAGE)[first:]
    uses = uses_of(store, reference)
    rows = tuple(
        MessageRow(
            each["_id"],
            each.get("name") or each.get("subject") or each["_id"],
            each.get("type", EMAIL),
            each.get("subject", ""),
            each["modified_date"],
            uses.get(each["_id"], ()),
        )
        for each in found
    )
    return MessageList(rows, total, page)


def uses_of(store: Store, reference: Reference) -> dict[str, tuple[Use, ...]]:
    """Returns the campaigns that name a message, by the message's id. Raises OsdiError 503."""
    query = {"triggers": {"$exists": True}}
    fields = ("title", "name", "triggers", "page")
    campaigns = store.find(ADVOCACY_CAMPAIGN.collection, query, sort=("-_id",), limit=MAX_CAMPAIGNS, fields=fields)
    named = sorted({each for campaign in campaigns for kind in TRIGGERS for each in named_messages(campaign, kind)})
    found = reference.find(MESSAGE, named)
    uses: dict[str, list[Use]] = {}
    for message_id, use in uses_in(campaigns, found):
        uses.setdefault(message_id, []).append(use)
    return {message_id: tuple(each) for message_id, each in uses.items()}


def named_messages(campaign: ReadOnlyDocument, kind: str) -> Sequence[str]:
    """Returns the references to messages that a campaign has for a kind of follow-up, the preferred one first."""
    found: Sequence[str] = campaign.get("triggers", {}).get(kind, {}).get("identifiers", ())
    return found


def uses_in(campaigns: Sequence[ReadOnlyDocument], found: Mapping[str, ReadOnlyDocument]) -> Iterator[tuple[str, Use]]:
    """Yields the id of each message that a campaign names, and its use; `found` has the messages by reference."""
    for campaign in campaigns:
        for kind in TRIGGERS:
            present = [
                found[each] for each in named_messages(campaign, kind) if each in found and fits(kind, found[each])
            ]
            for number, message_id in enumerate(dict.fromkeys(each["_id"] for each in present)):
                default, mail = number == 0, kind == AUTORESPONSE
                every = default and mail and sends_for_every_outreach(campaign)
                # The form of a public page requests the campaign's mail.
                page = mail and PageSettings.of(campaign).published
                yield message_id, Use(campaign["_id"], title_of(campaign), kind, default, every, page)


def unrequested(store: Store, uses: Sequence[Use]) -> frozenset[str]:
    """Returns the ids of the campaigns that have the message, but of which nothing requests it.

    Their page is not public, and none of their latest outreaches has requested such a follow-up. Raises OsdiError 503.
    """
    return frozenset(
        use.campaign_id
        for use in uses
        if use.default and not use.every and not use.page and not _has_requested(store, use)
    )


def find_message(store: Store, message_id: str) -> Document:
    """Returns a message. Raises OsdiError 404, 503."""
    found = store.get(MESSAGE.collection, message_id)
    if found is None:
        raise not_found("There is no such message.", MESSAGE.rel)
    return found


def add_message(store: Store, settings: Settings, caller: Caller, body: Mapping[str, Any]) -> str:
    """Stores a new message, a loaded POST, and returns its id. Raises OsdiError 400 for an invalid one, 503."""
    created = create(store, MESSAGE, body, settings.match_key_rules, by=caller.person_id, check=_check)
    return str(created["_id"])


def change_message(
    store: Store,
    reference: Reference,
    settings: Settings,
    caller: Caller,
    message_id: str,
    body: Mapping[str, Any],
    version: str,
) -> None:
    """Changes a message by a loaded PUT; its other properties stay as they are.

    Raises OsdiError 400 for an invalid result, 404, 412 if it has another version by now, 503.
    """
    change = Change(body["fields"], body["cleared"], frozenset({f'"{version}"'}), caller.person_id)
    put(store, MESSAGE, message_id, change, settings.match_key_rules, check=_check)
    reference.forget(MESSAGE, message_id)


def _has_requested(store: Store, use: Use) -> bool:
    query = {"advocacy_campaign_id": use.campaign_id}
    latest = store.find(OUTREACH.collection, query, sort=("-_id",), limit=LATEST, fields=("followups.kind",))
    return any(each["kind"] == use.kind for outreach in latest for each in outreach.get("followups", ()))


def _check(document: Document) -> None:
    check_sendable(MESSAGE, document)
