"""Prepares a leased follow-up: decides whether it may be sent now, and renders its message.

The checks, in this order: a transport, a message and a person exist; the person has the contact detail that is to be
reached; nobody who has it has opted out; texts and calls may go to a number; no other follow-up of its kind was sent to
the person within the interval; the sending limits of anonymous posts are not reached. All subaddresses of a mailbox
count as one there.
"""

import datetime as dt
from collections.abc import Collection
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
from osdi.followups import outbox_store
from osdi.followups.outbox_store import LeasedFollowup
from osdi.followups.phone_destinations import refused_number
from osdi.followups.recipients import Recipient, Unreachable, claimed_opt_out, recipient, unwanted_number
from osdi.followups.sending_limits import SendingLimits
from osdi.followups.unsubscribe import link, signer, unwanted
from osdi.ids import now
from osdi.languages import SOURCE_LANGUAGE, language_of
from osdi.match_keys import mailbox_key
from osdi.messages.template_check import Mistake
from osdi.messages.template_fields import LANGUAGE, UNSUBSCRIBE_URL, fields
from osdi.messages.templates import Rendered, TooLarge, render
from osdi.messages.wrapper_store import default_wrapper
from osdi.messages.wrappers import wrapper_of
from osdi.outreaches.consent import CONSENTS
from osdi.people.lookup import find_people_by_contact, get_person
from osdi.resources import ADVOCACY_CAMPAIGN, MESSAGE, Resource
from osdi.retry import backoff_seconds
from osdi.settings import Settings
from osdi.store import Store
from osdi.suppression.refusals import CALLS, TEXTS
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


class Stop(Exception):
    """The follow-up is never sent: SKIPPED because it should not be, or FAILED."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Postpone(Exception):
    """The follow-up waits for `seconds`; `tried` is True if sending it was attempted."""

    def __init__(self, reason: str, seconds: float, *, tried: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.tried = tried


class Preparation:
    """Prepares the follow-ups of one deployment. `kinds` are those that have a transport."""

    def __init__(self, store: Store, reference: Reference, settings: Settings, kinds: Collection[str]) -> None:
        self._store = store
        self._reference = reference
        self._settings = settings
        self._kinds = kinds
        self._limits = SendingLimits(settings)
        # Every mail needs these; they are cached for as long as reference data.
        seconds = settings.cache_seconds
        self._suppressed = cached(TTLCache(1, seconds))(partial(suppression_list, store))
        self._signer = cached(TTLCache(1, seconds))(partial(signer, store))
        self._confirming = cached(TTLCache(1, seconds))(partial(confirmation_signer, store))
        self._default_wrapper = cached(TTLCache(len(TRIGGERS), seconds))(partial(default_wrapper, store))

    def prepare(self, leased: LeasedFollowup) -> OutgoingMessage:
        """Returns the follow-up as it is to be sent. Raises Stop or Postpone if it is not sent now, OsdiError 503."""
        outreach, followup = leased.outreach, leased.followup
        kind = followup["kind"]
        if kind not in self._kinds:
            raise Stop(SKIPPED, "no_smtp" if kind in MAILS else "no_gateway")
        message = None if kind == CONFIRMATION else self._message(followup)
        person = get_person(self._store, outreach.get("person_id", ""))
        if person is None:
            raise Stop(SKIPPED, "no_person")
        to = self._recipient(followup, person)
        if kind == CONFIRMATION:
            self._check_confirmation(leased, person, to)
        else:
            self._check_opt_out(followup, to, outreach)
        self._check_number(followup, to)
        self._check_interval(leased)
        if not followup["by_token"] and not followup.get("admitted"):
            mailbox = mailbox_key(to.key)
            self._check_mailbox_interval(leased, mailbox)
            self._check_limits(kind, mailbox)
        campaign = self._find(ADVOCACY_CAMPAIGN, outreach["advocacy_campaign_id"]) or {}
        language = language_of(campaign, self._settings.language)
        here = self._settings.public_url
        unsubscribe_url = link(self._signer(), here, to.to, language) if kind in MAILS else ""
        if message is None:
            rendered = self._confirmation_mail(outreach, to, unsubscribe_url)
        else:
            rendered = self._render(leased, message, campaign, person if to.known else None, unsubscribe_url)
        return OutgoingMessage(followup, outreach, person, to, rendered, unsubscribe_url, language)

    def close(self) -> None:
        """Closes the connection that counts for the sending limits."""
        self._limits.close()

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

    def _check_opt_out(self, followup: Document, to: Recipient, outreach: Document) -> None:
        """Raises Stop if the post, the suppression list or any entry says that the recipient wants nothing."""
        kind, suppressed, rules = followup["kind"], self._suppressed(), self._settings.match_key_rules
        reason = claimed_opt_out(to, kind, outreach, rules)
        if reason is None and kind in MAILS:
            reason = unwanted(self._store, to.to, rules, by_token=followup["by_token"], suppressed=suppressed)
        elif reason is None:
            people = find_people_by_contact(self._store, to.key)
            reason = unwanted_number(kind, to.key, people, rules) or suppressed.reason(
                CALLS if kind == CALL_RESPONSE else TEXTS, to.key, whole_mailbox=False
            )
        if reason:
            raise Stop(SKIPPED, reason)

    def _check_confirmation(self, leased: LeasedFollowup, person: Document, to: Recipient) -> None:
        """Raises Stop if the reader of the mailbox is not asked to confirm the consent of the outreach."""
        suppressed, rules = self._suppressed(), self._settings.match_key_rules
        found = asking(suppressed, self._reference.find, leased.outreach, person, to.key, rules)
        if found.reason is not None:
            raise Stop(SKIPPED, found.reason)
        digest = suppressed.digest(mailbox_key(to.key))
        if found.seldom and not outbox_store.reserve_interval(self._store, leased, digest, SELDOM, all_campaigns=True):
            raise Stop(SKIPPED, "sent_before")

    def _check_number(self, followup: Document, to: Recipient) -> None:
        """Raises Stop if no text or call may go to the number."""
        if followup["kind"] in MAILS:
            return
        countries = self._settings.allowed_phone_countries
        if reason := refused_number(to.to, countries, by_token=followup["by_token"]):
            raise Stop(SKIPPED, reason)

    def _check_interval(self, leased: LeasedFollowup) -> None:
        """Allows one follow-up of a kind for a person and campaign in an interval. Raises Stop or Postpone."""
        interval = dt.timedelta(hours=self._settings.followup_interval_hours)
        if not interval:
            return
        if outbox_store.other_of_its_kind(self._store, leased, [SENT, LEASED, QUEUED], interval) is None:
            return
        other = outbox_store.other_of_its_kind(self._store, leased, [SENT, LEASED], interval)
        if other is not None and other["state"] == SENT:
            raise Stop(SKIPPED, "sent_before")
        if other is not None:
            # Of two that workers handle at the same time both are postponed, and return at different times.
            raise Postpone("another_first", backoff_seconds(1, first=OTHER_SECONDS))
        queued = outbox_store.other_of_its_kind(self._store, leased, [QUEUED], interval, before=True)
        if queued is not None:
            seconds = max(0.0, (queued["not_before"] - now()).total_seconds())
            raise Postpone("another_first", seconds + backoff_seconds(1, first=OTHER_SECONDS))

    def _check_mailbox_interval(self, leased: LeasedFollowup, mailbox: str) -> None:
        """Allows one follow-up of a kind for a mailbox and campaign in an interval. Raises Stop.

        People with different subaddresses of one mailbox are different people, and a stranger can post any number.
        """
        interval = dt.timedelta(hours=self._settings.followup_interval_hours)
        if not interval:
            return
        digest = self._suppressed().digest(mailbox)
        if not outbox_store.reserve_interval(self._store, leased, digest, interval):
            raise Stop(SKIPPED, "sent_before")

    def _check_limits(self, kind: str, mailbox: str) -> None:
        """Counts a follow-up of an anonymous post. Raises Stop or Postpone if a sending limit is reached."""
        reached = self._limits.reached(kind, mailbox)
        if reached is not None and reached.address:
            raise Stop(SKIPPED, "too_many_to_address")
        if reached is not None:
            raise Postpone("too_many", reached.seconds)

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
