"""Completes a recorded outreach: stores which target was chosen after the post, and the outcome of a call or visit.

A token holder may have changed the outreach meanwhile: a page overwrites nothing that it has not stated itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from osdi.campaign_pages.acting.outcome import Outcome, fields_of
from osdi.campaign_pages.acting.outreach_token import OutreachToken
from osdi.campaign_pages.message_labels import Labels, filled_in
from osdi.campaign_pages.targets import Target
from osdi.crud.put import Change, put
from osdi.documents import Document
from osdi.errors import OsdiError, WriteConflict, conflict, not_found
from osdi.etags import etag
from osdi.match_keys import MatchKeyRules
from osdi.resources import OUTREACH
from osdi.retry import retry_on_conflict
from osdi.store import Store


def recorded_outreach(store: Store, token: OutreachToken) -> Document:
    """Returns the outreach of a token. Raises OsdiError 404 if it is gone, 503."""
    found = store.get(OUTREACH.collection, token.outreach_id)
    if found is None or found.get("advocacy_campaign_id") != token.campaign_id:
        raise not_found("There is no such outreach.", OUTREACH.rel)
    return found


def state_outcome(store: Store, token: OutreachToken, outcome: Outcome, rules: MatchKeyRules) -> Document:
    """Stores the outcome of an outreach and returns the outreach; the same outcome may be stated again.

    Raises OsdiError 404 if the outreach is gone, 409 if it has another outcome or notes, 503.
    """

    def fields(stored: Document) -> dict[str, Any]:
        if stored.get("notes", outcome.notes) != outcome.notes:
            raise conflict("OUTCOME_STATED", "The outcome of this outreach was stated before.", resource=OUTREACH.rel)
        return fields_of(outcome)

    return _complete(store, token, fields, rules)


def choose_targets(
    store: Store,
    token: OutreachToken,
    targets: Sequence[Target],
    person: Mapping[str, Any],
    labels: Labels,
    rules: MatchKeyRules,
) -> Document:
    """Stores the targets that a supporter has chosen after the post, and fills in the labels of the message.

    The first choice stays: the message is addressed to it. `person` is that of the form. Returns the outreach. Raises
    OsdiError 404 if the outreach is gone, 503.
    """

    def fields(stored: Document) -> dict[str, Any]:
        if stored.get("targets"):
            return {}
        message = {"message": filled_in(stored["message"], labels, person, targets)} if "message" in stored else {}
        return {"targets": list(targets), **message} if targets else message

    return _complete(store, token, fields, rules)


def _complete(
    store: Store, token: OutreachToken, fields: Callable[[Document], dict[str, Any]], rules: MatchKeyRules
) -> Document:
    """Sets the fields that a function makes of the stored outreach, and returns the changed one."""

    def attempt() -> Document:
        stored = recorded_outreach(store, token)
        change = Change(fields(stored), if_match=frozenset((etag(stored),)))
        try:
            return put(store, OUTREACH, token.outreach_id, change, rules)
        except OsdiError as error:
            if error.status != 412:
                raise
            raise WriteConflict("The outreach has changed since it was read.") from error

    return retry_on_conflict(attempt)
