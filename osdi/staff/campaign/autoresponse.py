"""The messages of a campaign as its screens show them: the mail to choose, and the messages that nothing requests."""

from typing import Final, NamedTuple

from osdi.action_functions.followup_kinds import AUTORESPONSE, EMAIL, TRIGGERS, fits
from osdi.action_functions.triggers import EVERY_OUTREACH
from osdi.crud.reference_cache import Reference
from osdi.documents import Json, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules
from osdi.resources import MESSAGE
from osdi.staff.messages.message_list import Use, named_messages, unrequested, uses_in
from osdi.store import Store

# The newest mails, and the one that is chosen, can be chosen in the form.
MAX_CHOICES: Final = 200
SENDABLE: Final = {
    "type": {"$in": [None, EMAIL]},
    "subject": {"$nin": [None, ""]},
    "body": {"$nin": [None, ""]},
}


class MailChoice(NamedTuple):
    """A mail that a campaign can send: the identifier that the campaign stores, and the name in the list."""

    identifier: str
    name: str


def chosen_mail(campaign: ReadOnlyDocument) -> str:
    """Returns the identifier of the mail that a campaign prefers; empty without one."""
    return next(iter(named_messages(campaign, AUTORESPONSE)), "")


def mail_choices(
    store: Store, reference: Reference, rules: MatchKeyRules, campaign: ReadOnlyDocument
) -> list[MailChoice]:
    """Returns the mails that the editor offers; the chosen one has the identifier by which the campaign names it.

    Raises OsdiError 503.
    """
    chosen = chosen_mail(campaign)
    present = reference.find(MESSAGE, [chosen]).get(chosen) if chosen else None
    found = store.find(MESSAGE.collection, SENDABLE, sort=("-_id",), limit=MAX_CHOICES, fields=("name", "subject"))
    others = [each for each in found if present is None or each["_id"] != present["_id"]]
    first = [MailChoice(chosen, _name(present))] if present else []
    return [*first, *(MailChoice(rules.own_identifier(each["_id"]), _name(each)) for each in others)]


def is_sendable_mail(reference: Reference, identifier: str) -> bool:
    """True if there is a mail with this identifier that can be sent. Raises OsdiError 503."""
    message = reference.find(MESSAGE, [identifier]).get(identifier)
    return message is not None and fits(AUTORESPONSE, message)


def mail_trigger(campaign: ReadOnlyDocument, identifier: str, *, every_outreach: bool) -> Json:
    """Returns the campaign's trigger with another preferred mail; the other mails that posts may name stay."""
    others = [each for each in named_messages(campaign, AUTORESPONSE)[1:] if each != identifier]
    return {"identifiers": [identifier, *others], EVERY_OUTREACH: every_outreach}


def message_kinds(reference: Reference, campaign: ReadOnlyDocument) -> tuple[str, ...]:
    """Returns the kinds of follow-ups for which the campaign has a message. Raises OsdiError 503."""
    return tuple(use.kind for use in _defaults(reference, campaign))


def unrequested_kinds(
    store: Store, reference: Reference, campaign: ReadOnlyDocument, *, published: bool | None = None
) -> tuple[str, ...]:
    """Returns the kinds of follow-ups for which the campaign has a message that nothing requests.

    `published` stands for the state of the page, which by default is that of the campaign. Raises OsdiError 503.
    """
    if published is not None:
        campaign = {**campaign, "page": {**campaign.get("page", {}), "published": published}}
    return tuple(use.kind for use in _defaults(reference, campaign) if unrequested(store, (use,)))


def _defaults(reference: Reference, campaign: ReadOnlyDocument) -> list[Use]:
    """Returns the use of each message that a post gets if it names none."""
    named = [each for kind in TRIGGERS for each in named_messages(campaign, kind)]
    found = reference.find(MESSAGE, named) if named else {}
    return [use for _, use in uses_in([campaign], found) if use.default]


def _name(message: ReadOnlyDocument) -> str:
    return str(message.get("name") or message.get("subject") or message["_id"])
