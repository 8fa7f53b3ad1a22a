"""What becomes of one follow-up: claimed, held against what people want and what ceilings say, sent, marked.

The guarantee is at least once: what was sent is marked afterwards, and a worker that dies in between leaves a lease
that runs out, after which another one sends it again. Such lost leases are counted on the follow-up. What is sent
carries the follow-up's id (a mail's Message-ID is made of it), so a repeat can be recognised.
"""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from cachetools import TTLCache, cached

from osdi import log
from osdi.action_functions.followup_kinds import (
    AUTORESPONSE,
    FAILED,
    LEASED,
    QUEUED,
    SENT,
    SKIPPED,
    TRIGGERS,
    fits,
    type_of,
)
from osdi.crud.reference_cache import Reference
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.followups import outbox_store
from osdi.followups.outbox_store import Claimed
from osdi.followups.recipients import Recipient, Unreachable, recipient, unwanted_number
from osdi.followups.sending_limits import SendingLimits
from osdi.followups.unsubscribe import link, signer, unwanted
from osdi.ids import now
from osdi.messages.template_check import Mistake
from osdi.messages.template_fields import UNSUBSCRIBE_URL, fields
from osdi.messages.templates import Rendered, TooLarge, render
from osdi.messages.wrapper_store import default_wrapper
from osdi.messages.wrappers import wrapper_of
from osdi.people.lookup import find_people_by_contact, get_person
from osdi.resources import ADVOCACY_CAMPAIGN, MESSAGE
from osdi.retry import backoff_seconds, retry_while_unavailable
from osdi.settings import Settings
from osdi.store import Store

# Leases are looked through for lost ones that often; what is queued, each time.
LOST_EVERY_SECONDS: Final = 5.0

# Another of its kind is on its way: how long to wait for what becomes of it.
OTHER_SECONDS: Final = 5.0

MARK_SECONDS: Final = 60.0
MARK_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True)
class OutgoingMessage:
    """A follow-up as it goes out: which, to whom, of which person and outreach, and what it says.

    A mail has the address by which its reader unsubscribes.
    """

    followup: Document
    outreach: Document
    person: Document
    recipient: Recipient
    rendered: Rendered
    unsubscribe_url: str = ""


class DeliveryFailed(Exception):
    """It did not go out: for good or for now; and where `everything` is set nothing of its kind would."""

    def __init__(self, reason: str, *, permanent: bool = False, everything: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.everything = everything


class Transport(Protocol):
    """A way to send one kind of follow-up."""

    def send(self, todo: OutgoingMessage) -> None:
        """Hand it over. Raises DeliveryFailed."""

    def close(self) -> None:
        """Give connections up."""


class Stop(Exception):
    """It is not sent: SKIPPED, because it should not be, or FAILED."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Postpone(Exception):
    """It waits for so many seconds; `tried` where that was an attempt."""

    def __init__(self, reason: str, seconds: float, *, tried: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.tried = tried


class Followups:
    """Does the follow-ups of a deployment; one thread has one of its own, since transports keep connections."""

    def __init__(
        self, store: Store, reference: Reference, settings: Settings, transports: Mapping[str, Transport]
    ) -> None:
        self._store = store
        self._reference = reference
        self._settings = settings
        self._transports = transports
        self._ceilings = SendingLimits(settings)
        self._paused: dict[str, dt.datetime] = {}
        self._failures: dict[str, int] = {}
        self._looked_for_lost = float("-inf")
        # What every mail needs, remembered as long as reference data is.
        seconds = settings.cache_seconds
        self._signer = cached(TTLCache(1, seconds))(partial(signer, store))
        self._default_wrapper = cached(TTLCache(len(TRIGGERS), seconds))(partial(default_wrapper, store))

    def do_next(self) -> bool:
        """Do the follow-up that has waited longest; False where nothing is due. Raises OsdiError 503."""
        claimed = self._claim(now())
        if claimed is None:
            return False
        began = time.perf_counter()
        state, reason = self._do(claimed)
        log.logger().info(
            "followup",
            outreach_id=claimed.outreach["_id"],
            followup_id=claimed.followup["_id"],
            kind=claimed.followup["kind"],
            state=state,
            reason=reason,
            attempts=claimed.followup["attempts"],
            leases_lost=claimed.followup.get("leases_lost", 0),
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
        return True

    def close(self) -> None:
        """Give all connections up."""
        for transport in self._transports.values():
            transport.close()
        self._ceilings.close()

    def _claim(self, timestamp: dt.datetime) -> Claimed | None:
        kinds = [kind for kind in TRIGGERS if self._paused.get(kind, timestamp) <= timestamp]
        seconds = self._settings.followup_lease_seconds
        if time.monotonic() - self._looked_for_lost >= LOST_EVERY_SECONDS:
            claimed = outbox_store.claim(self._store, timestamp, seconds, kinds, lost=True)
            if claimed is not None:
                return claimed
            self._looked_for_lost = time.monotonic()
        return outbox_store.claim(self._store, timestamp, seconds, kinds)

    def _do(self, claimed: Claimed) -> tuple[str, str | None]:
        """Send and mark. Returns the state and, unless it is sent, the reason."""
        followup = claimed.followup
        kind = followup["kind"]
        try:
            todo = self._todo(claimed)
            self._transports[kind].send(todo)
        except Stop as ended:
            self._mark(claimed, {"state": ended.state, "reason": ended.reason}, gone=("not_before",))
            return ended.state, ended.reason
        except Postpone as later:
            return self._put_off(claimed, later)
        except DeliveryFailed as error:
            if error.permanent:
                self._mark(claimed, {"state": FAILED, "reason": error.reason}, gone=("not_before",))
                return FAILED, error.reason
            if error.everything:
                self._pause(kind)
            seconds = backoff_seconds(followup["attempts"])
            return self._put_off(claimed, Postpone(error.reason, seconds, tried=True))
        except OsdiError:
            raise  # the database is away, and nothing can be marked: the lease runs out
        except Exception:
            seconds = backoff_seconds(followup["attempts"])
            self._put_off(claimed, Postpone("error", seconds, tried=True))
            raise
        self._failures.pop(kind, None)
        # Whom it reached is no longer needed, and would outlive a person who is deleted.
        self._mark(claimed, {"state": SENT, "sent_date": now()}, gone=("not_before", "reason", "to"))
        return SENT, None

    def _put_off(self, claimed: Claimed, later: Postpone) -> tuple[str, str]:
        """Queue it again, unless it has been tried for too long."""
        followup, timestamp = claimed.followup, now()
        given_up = followup["queued_date"] + dt.timedelta(hours=self._settings.followup_give_up_hours)
        if timestamp >= given_up:
            self._mark(claimed, {"state": FAILED, "reason": later.reason}, gone=("not_before",))
            return FAILED, later.reason
        fields = {
            "state": QUEUED,
            "reason": later.reason,
            "not_before": min(timestamp + dt.timedelta(seconds=later.seconds), given_up),
            # What had only to wait has not been tried; what has been tried has passed the ceilings.
            "attempts": followup["attempts"] if later.tried else followup["attempts"] - 1,
            **({"admitted": True} if later.tried else {}),
        }
        self._mark(claimed, fields)
        return QUEUED, later.reason

    def _mark(self, claimed: Claimed, fields: Document, *, gone: tuple[str, ...] = ()) -> None:
        """Mark it; while the database is away, again and again, since a mail that is not marked is sent twice.

        Raises OsdiError 503 in the end.
        """
        seconds = min(MARK_SECONDS, self._settings.followup_lease_seconds)
        mark = partial(outbox_store.mark, self._store, claimed, fields, gone=gone)
        retry_while_unavailable(mark, seconds, pause=MARK_PAUSE_SECONDS)

    def _pause(self, kind: str) -> None:
        """Nothing of this kind goes out at the moment: spare what waits behind it the attempt."""
        failures = self._failures[kind] = self._failures.get(kind, 0) + 1
        seconds = backoff_seconds(failures, first=2, longest=60)
        self._paused[kind] = now() + dt.timedelta(seconds=seconds)

    def _todo(self, claimed: Claimed) -> OutgoingMessage:
        """The follow-up as it goes out. Raises Ended or Later where it does not, OsdiError 503."""
        outreach, followup = claimed.outreach, claimed.followup
        kind, settings = followup["kind"], self._settings
        if kind not in self._transports:
            raise Stop(SKIPPED, "no_smtp" if kind == AUTORESPONSE else "no_gateway")
        message = self._message(followup)
        person = get_person(self._store, outreach.get("person_id", ""))
        if person is None:
            raise Stop(SKIPPED, "no_person")
        try:
            to = recipient(followup, person, settings.match_key_rules)
        except Unreachable as unreachable:
            raise Stop(SKIPPED, unreachable.reason) from unreachable
        reason = self._unwanted(kind, to)
        if reason:
            raise Stop(SKIPPED, reason)
        self._once_in_an_interval(claimed)
        if not followup["by_token"] and not followup.get("admitted"):
            self._below_ceilings(kind, to.key)
        campaign = self._campaign(outreach)
        values = fields(person if to.known else None, outreach, campaign, by_token=followup["by_token"])
        unsubscribe_url = link(self._signer(), settings.public_url, to.to) if kind == AUTORESPONSE else ""
        wrapper = wrapper_of(self._reference.find, message, self._default_wrapper)
        try:
            rendered = render(message, wrapper, values | {UNSUBSCRIBE_URL: unsubscribe_url}, type_of(kind))
        except Mistake as mistake:
            raise Stop(FAILED, "template") from mistake
        except TooLarge as too_large:
            raise Stop(FAILED, "too_large") from too_large
        return OutgoingMessage(followup, outreach, person, to, rendered, unsubscribe_url)

    def _message(self, followup: Document) -> Document:
        found = self._reference.find(MESSAGE, [followup["message_id"]]).get(followup["message_id"])
        if found is None or not fits(followup["kind"], found):
            raise Stop(SKIPPED, "no_message")
        return dict(found)

    def _campaign(self, outreach: Document) -> Mapping[str, Any]:
        campaign_id = outreach["advocacy_campaign_id"]
        return self._reference.find(ADVOCACY_CAMPAIGN, [campaign_id]).get(campaign_id, {})

    def _unwanted(self, kind: str, to: Recipient) -> str | None:
        if kind == AUTORESPONSE:
            return unwanted(self._store, to.to)
        people = find_people_by_contact(self._store, to.key)
        return unwanted_number(kind, to.key, people, self._settings.match_key_rules)

    def _once_in_an_interval(self, claimed: Claimed) -> None:
        """One follow-up of a kind for a person and campaign. Raises Ended or Later where another one goes before."""
        interval = dt.timedelta(hours=self._settings.followup_interval_hours)
        if not interval:
            return
        if outbox_store.other_of_its_kind(self._store, claimed, [SENT, LEASED, QUEUED], interval) is None:
            return
        other = outbox_store.other_of_its_kind(self._store, claimed, [SENT, LEASED], interval)
        if other is not None and other["state"] == SENT:
            raise Stop(SKIPPED, "sent_before")
        if other is not None:
            # Two that are done at the same moment both step back, and come again at different ones.
            raise Postpone("another_first", backoff_seconds(1, first=OTHER_SECONDS))
        queued = outbox_store.other_of_its_kind(self._store, claimed, [QUEUED], interval, before=True)
        if queued is not None:
            seconds = max(0.0, (queued["not_before"] - now()).total_seconds())
            raise Postpone("another_first", seconds + backoff_seconds(1, first=OTHER_SECONDS))

    def _below_ceilings(self, kind: str, key: str) -> None:
        over = self._ceilings.over(kind, key)
        if over is not None and over.address:
            raise Stop(SKIPPED, "too_many_to_address")
        if over is not None:
            raise Postpone("too_many", over.seconds)
