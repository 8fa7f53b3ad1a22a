"""Prepares a leased follow-up: decides whether it may be sent now, and renders its message.

The checks, in this order: a transport, a message and a person exist; the person has the contact detail that is to be
reached; nobody who has it has opted out; texts and calls may go to a number; no other follow-up of its kind was sent to
the person within the interval; the sending limits of anonymous posts are not reached. All subaddresses of a mailbox
count as one there. The documents that decide are read right before sending, also for the last one of a batch.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from cachetools import TTLCache, cached

from osdi.action_functions.followup_kinds import (
    CALL_RESPONSE,
    CONFIRMATION,
    FAILED,
    LEASED,
    MAILS,
    QUEUED,
    SENT,
    SKIPPED,
    TRIGGERS,
    fits,
    type_of,
)
from osdi.consent.asking import SELDOM, asking
from osdi.consent.confirmation import confirmation_link, confirmation_signer
from osdi.consent.confirmation_mail import confirmation_mail
from osdi.crud.reference_cache import Reference
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import OsdiError
from osdi.followups import outbox_store
from osdi.followups.leases.current_store import Current, read_current
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.followups.limits.admission import Admission
from osdi.followups.limits.interval_store import reserve_interval
from osdi.followups.outcomes import Postpone, Stop
from osdi.followups.phone_destinations import rejected_number
from osdi.followups.recipients import Recipient, Unreachable, claimed_opt_out, recipient, unwanted_number
from osdi.followups.unsubscribe import link, signer
from osdi.ids import now
from osdi.languages import SOURCE_LANGUAGE, language_of
from osdi.match_keys import mailbox_key
from osdi.messages.template_check import Mistake
from osdi.messages.template_fields import LANGUAGE, UNSUBSCRIBE_URL, fields
from osdi.messages.templates import Rendered, TooLarge, render
from osdi.messages.wrapper_store import default_wrapper
from osdi.messages.wrappers import wrapper_of
from osdi.outreaches.consent_receipt import CONSENTS
from osdi.people.lookup import get_person
from osdi.people.opt_outs import mail_opt_out
from osdi.resources import ADVOCACY_CAMPAIGN, MESSAGE, PERSON, Resource
from osdi.retry import backoff_seconds
from osdi.settings import Settings
from osdi.store import Store
from osdi.suppression.opt_outs import CALLS, MAIL, TEXTS
from osdi.suppression.suppression_list import suppression_list

# About how long a follow-up waits for the result of another one of its kind.
OTHER_SECONDS: Final = 5.0


@dataclass(frozen=True)
class OutgoingMessage:
    """A follow-up that is to be sent, with its outreach, person, recipient and text.

    A mail has the URL by which its reader unsubscribes, and the language of the server's own words in it.
    """

    followup: Document
    outreach: Document
    person: Document
    recipient: Recipient
    rendered: Rendered
    unsubscribe_url: str = ""
    language: str = SOURCE_LANGUAGE


class Preparation:
    """Prepares the follow-ups of one deployment. `kinds` are those that have a transport."""

    def __init__(self, store: Store, reference: Reference, settings: Settings, kinds: Collection[str]) -> None:
        self._store = store
        self._reference = reference
        self._settings = settings
        self._kinds = kinds
        # Every mail needs these; they are cached for as long as reference data.
        seconds = settings.cache_seconds
        self._suppressed = cached(TTLCache(1, seconds))(partial(suppression_list, store))
        self._signer = cached(TTLCache(1, seconds))(partial(signer, store))
        self._confirming = cached(TTLCache(1, seconds))(partial(confirmation_signer, store))
        self._default_wrapper = cached(TTLCache(len(TRIGGERS), seconds))(partial(default_wrapper, store))
        self._interval = dt.timedelta(hours=settings.followup_interval_hours)
        self._admission = Admission(store, settings, self._suppressed)
        # By the id of a follow-up of the batch: the match key of its recipient when the batch was leased.
        self._keys: dict[str, str] = {}

    def begin(self, batch: Sequence[LeasedFollowup]) -> None:
        """Does for a batch at once what needs no word of the time of sending. Raises OsdiError 503.

        It reads the people, to know whose consent to read later, and counts the follow-ups of posts without a token.
        """
        rules = self._settings.match_key_rules
        ids = {leased.outreach.get("person_id", "") for leased in batch}
        people = {each["_id"]: each for each in self._store.by_ids(PERSON.collection, sorted(ids))}
        self._keys = {}
        for leased in batch:
            person = people.get(leased.outreach.get("person_id", ""))
            if person is not None and leased.followup["kind"] in self._kinds:
                with suppress(Unreachable):
                    self._keys[leased.followup["_id"]] = recipient(leased.followup, person, rules).key
        self._admission.admit_ahead((each, key) for each in batch if (key := self._keys.get(each.followup["_id"])))

    def prepare(self, leased: LeasedFollowup) -> OutgoingMessage:
        """Returns the follow-up as it is to be sent now.

        Raises Stop or Postpone if it is not sent now, Gone if it is no longer this worker's, OsdiError 503.
        """
        kind = leased.followup["kind"]
        if kind not in self._kinds:
            raise Stop(SKIPPED, "no_smtp" if kind in MAILS else "no_gateway")
        message = None if kind == CONFIRMATION else self._message(leased.followup)
        now_stored, person, to = self._read(leased, self._keys.get(leased.followup["_id"]))
        leased = now_stored.followup
        outreach, followup = leased.outreach, leased.followup
        if kind == CONFIRMATION:
            self._check_confirmation(leased, person, to)
        else:
            self._check_opt_out(now_stored, to)
        self._check_number(followup, to)
        if now_stored.others:
            self._check_interval(leased)
        self._admission.admit(leased, to.key)
        campaign = self._find(ADVOCACY_CAMPAIGN, outreach["advocacy_campaign_id"]) or {}
        language = language_of(campaign, self._settings.language)
        here = self._settings.public_url
        unsubscribe_url = link(self._signer(), here, to.to, language) if kind in MAILS else ""
        if message is None:
            rendered = self._confirmation_mail(outreach, to, unsubscribe_url)
        else:
            rendered = self._render(leased, message, campaign, person if to.known else None, unsubscribe_url)
        return OutgoingMessage(followup, outreach, person, to, rendered, unsubscribe_url, language)

    def withdraw(self, leased: LeasedFollowup) -> None:
        """Notes that a follow-up is not sent now, so that what was counted ahead for it is given back."""
        self._admission.withdraw(leased)

    def withdrawn(self, leased: LeasedFollowup) -> tuple[str, ...]:
        """Returns the names of the fields that a follow-up loses because it was counted ahead and withdrawn."""
        return self._admission.withdrawn(leased)

    def close(self) -> None:
        """Gives back what was counted ahead, and closes the connection that counts."""
        with suppress(OsdiError):
            self._admission.give_back_unused()
        self._admission.close()

    def _read(self, leased: LeasedFollowup, key: str | None) -> tuple[Current, Document, Recipient]:
        """Returns what is stored now, the person and the recipient, whose match key is expected to be `key`.

        Raises Stop, Gone, OsdiError 503.
        """
        if key is None:
            key = self._recipient(leased.followup, self._person(leased.outreach)).key
        what, by_token = _channel_of(leased.followup["kind"]), leased.followup["by_token"]
        listed = self._suppressed().selection(what, key, whole_mailbox=not by_token)
        stored = read_current(self._store, leased, key, listed, self._interval)
        person_id = stored.followup.outreach.get("person_id")
        person = next((each for each in stored.people if each["_id"] == person_id), None)
        person = person or self._person(stored.followup.outreach)
        to = self._recipient(stored.followup.followup, person)
        # If the person has got another primary address since, its owner's consent counts.
        return (stored, person, to) if to.key == key else self._read(stored.followup, to.key)

    def _person(self, outreach: Document) -> Document:
        person = get_person(self._store, outreach.get("person_id", ""))
        if person is None:
            raise Stop(SKIPPED, "no_person")
        return person

    def _message(self, followup: Document) -> ReadOnlyDocument:
        found = self._find(MESSAGE, followup["message_id"])
        if found is None or not fits(followup["kind"], found):
            raise Stop(SKIPPED, "no_message")
        return found

    def _recipient(self, followup: Document, person: Document) -> Recipient:
        try:
            return recipient(followup, person, self._settings.match_key_rules)
        except Unreachable as unreachable:
            raise Stop(SKIPPED, unreachable.reason) from unreachable

    def _check_opt_out(self, stored: Current, to: Recipient) -> None:
        """Raises Stop if the post, the suppression list or any entry says that the recipient wants nothing."""
        kind, rules = stored.followup.followup["kind"], self._settings.match_key_rules
        reason = claimed_opt_out(to, kind, stored.followup.outreach, rules)
        if reason is None and kind in MAILS:
            status = mail_opt_out(stored.people, to.key, rules)
            reason = status and status.replace(" ", "_")
        elif reason is None:
            reason = unwanted_number(kind, to.key, stored.people, rules)
        if reason := reason or self._suppressed().reason_in(stored.entries, _channel_of(kind), to.key):
            raise Stop(SKIPPED, reason)

    def _check_confirmation(self, leased: LeasedFollowup, person: Document, to: Recipient) -> None:
        """Raises Stop if the reader of the mailbox is not asked to confirm the consent of the outreach."""
        suppressed, rules = self._suppressed(), self._settings.match_key_rules
        found = asking(suppressed, self._reference.find, leased.outreach, person, to.key, rules)
        if found.reason is not None:
            raise Stop(SKIPPED, found.reason)
        digest = suppressed.digest(mailbox_key(to.key))
        if found.seldom and not reserve_interval(self._store, leased, digest, SELDOM, all_campaigns=True):
            raise Stop(SKIPPED, "sent_before")

    def _check_number(self, followup: Document, to: Recipient) -> None:
        """Raises Stop if no text or call may go to the number."""
        if followup["kind"] in MAILS:
            return
        countries = self._settings.allowed_phone_countries
        if reason := rejected_number(to.to, countries, by_token=followup["by_token"]):
            raise Stop(SKIPPED, reason)

    def _check_interval(self, leased: LeasedFollowup) -> None:
        """Allows one follow-up of a kind for a person and campaign in an interval. Raises Stop or Postpone."""
        other = outbox_store.other_of_its_kind(self._store, leased, [SENT, LEASED], self._interval)
        if other is not None and other["state"] == SENT:
            raise Stop(SKIPPED, "sent_before")
        if other is not None:
            # Of two that workers handle at the same time both are postponed, and return at different times.
            raise Postpone("another_first", backoff_seconds(1, first=OTHER_SECONDS))
        queued = outbox_store.other_of_its_kind(self._store, leased, [QUEUED], self._interval, before=True)
        if queued is not None:
            seconds = max(0.0, (queued["not_before"] - now()).total_seconds())
            raise Postpone("another_first", seconds + backoff_seconds(1, first=OTHER_SECONDS))

    def _render(
        self,
        leased: LeasedFollowup,
        message: ReadOnlyDocument,
        campaign: ReadOnlyDocument,
        person: Document | None,
        unsubscribe_url: str,
    ) -> Rendered:
        """Returns the filled-in message; it says nothing of the person if that is None. Raises Stop."""
        outreach, followup = leased.outreach, leased.followup
        values = fields(person, outreach, campaign, by_token=followup["by_token"], zone=self._settings.zone)
        values |= {UNSUBSCRIBE_URL: unsubscribe_url, LANGUAGE: language_of(campaign, self._settings.language)}
        wrapper = wrapper_of(self._reference.find, message, self._default_wrapper)
        try:
            return render(message, wrapper, values, type_of(followup["kind"]))
        except Mistake as mistake:
            raise Stop(FAILED, "template") from mistake
        except TooLarge as too_large:
            raise Stop(FAILED, "too_large") from too_large

    def _confirmation_mail(self, outreach: Document, to: Recipient, unsubscribe_url: str) -> Rendered:
        """Returns the mail that asks to confirm a consent; it says nothing of the person."""
        address = confirmation_link(self._confirming(), self._settings.public_url, outreach["_id"], to.to)
        return confirmation_mail(self._settings.vendor_name, outreach[CONSENTS][0], address, unsubscribe_url)

    def _find(self, resource: Resource, document_id: str) -> ReadOnlyDocument | None:
        return self._reference.find(resource, [document_id]).get(document_id)


def _channel_of(kind: str) -> str:
    """Returns the channel of a kind of follow-up, as the suppression list names it: MAIL, CALLS or TEXTS."""
    return MAIL if kind in MAILS else CALLS if kind == CALL_RESPONSE else TEXTS
