"""Admits follow-ups of posts without a token: one in an interval for each mailbox, within the sending limits.

Those of a batch are counted together, ahead of sending: each count alone is a write that waits for the disk. Counts of
those that are not sent then are given back. A follow-up that was not admitted ahead is decided when its turn comes.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import compress

from osdi.action_functions.followup_kinds import SKIPPED
from osdi.followups.leases import lease_store
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.followups.limits import interval_store
from osdi.followups.limits.sending_limits import SendingLimits
from osdi.followups.outcomes import Postpone, Stop
from osdi.match_keys import mailbox_key
from osdi.settings import Settings
from osdi.store import Store
from osdi.suppression.suppression_list import SuppressionList

# A follow-up with the match key of its mailbox or number.
Wanted = tuple[LeasedFollowup, str]

ADMITTED = "admitted"


def is_limited(leased: LeasedFollowup) -> bool:
    """True if the follow-up needs to be admitted: it is of a post without a token, and was not admitted before."""
    return not leased.followup["by_token"] and not leased.followup.get(ADMITTED)


class Admission:
    """Admits the follow-ups of one worker."""

    def __init__(self, store: Store, settings: Settings, suppressed: Callable[[], SuppressionList]) -> None:
        self._store = store
        self._limits = SendingLimits(settings)
        self._interval = dt.timedelta(hours=settings.followup_interval_hours)
        self._suppressed = suppressed
        # By the id of a follow-up: its kind and mailbox.
        self._ahead: dict[str, tuple[str, str]] = {}
        # Ids of those of the batch that were withdrawn.
        self._withdrawn: set[str] = set()

    def admit_ahead(self, batch: Iterable[tuple[LeasedFollowup, str]]) -> None:
        """Admits those of a batch that need it, each with its match key; may leave some out. Raises OsdiError 503."""
        self._ahead.clear()
        self._withdrawn.clear()
        wanted = [(leased, mailbox_key(key)) for leased, key in batch if is_limited(leased)]
        if wanted and self._interval:
            reserved = [(leased, self._suppressed().digest(mailbox)) for leased, mailbox in wanted]
            granted = interval_store.reserve_intervals(self._store, reserved, self._interval)
            wanted = list(compress(wanted, granted))
        counted = [each for kind, those in _by_kind(wanted).items() for each in self._counted(kind, those)]
        self._ahead = {leased.followup["_id"]: (leased.followup["kind"], mailbox) for leased, mailbox in counted}
        lease_store.set_admitted(self._store, [leased for leased, _ in counted])

    def admit(self, leased: LeasedFollowup, key: str) -> None:
        """Admits a follow-up to a match key if it needs that. Raises Stop, Postpone, OsdiError 503."""
        if not is_limited(leased):
            return
        mailbox = mailbox_key(key)
        if self._interval:
            digest = self._suppressed().digest(mailbox)
            if not interval_store.reserve_interval(self._store, leased, digest, self._interval):
                raise Stop(SKIPPED, "sent_before")
        reached = self._limits.reached(leased.followup["kind"], mailbox)
        if reached is not None and reached.address:
            raise Stop(SKIPPED, "too_many_to_address")
        if reached is not None:
            raise Postpone("too_many", reached.seconds)

    def withdraw(self, several: Iterable[LeasedFollowup]) -> None:
        """Gives back what was counted ahead for follow-ups that are not sent now. Raises OsdiError 503.

        It comes before they are marked: afterwards another worker may send them, and has the intervals.
        """
        ids = [leased.followup["_id"] for leased in several]
        unused = {each: mine for each in ids if (mine := self._ahead.pop(each, None))}
        if not unused:
            return
        self._withdrawn |= unused.keys()
        interval_store.release_intervals(self._store, unused.keys())
        keys = defaultdict(list)
        for kind, mailbox in unused.values():
            keys[kind].append(mailbox)
        for kind, mailboxes in keys.items():
            self._limits.give_back(kind, mailboxes)

    def withdrawn(self, leased: LeasedFollowup) -> tuple[str, ...]:
        """Returns the names of the fields that a follow-up loses because it was counted ahead and withdrawn."""
        return (ADMITTED,) if leased.followup["_id"] in self._withdrawn else ()

    def close(self) -> None:
        """Closes the connection that counts."""
        self._limits.close()

    def _counted(self, kind: str, wanted: Sequence[Wanted]) -> Iterable[Wanted]:
        return compress(wanted, self._limits.count_ahead(kind, [mailbox for _, mailbox in wanted]))


def _by_kind(wanted: Collection[Wanted]) -> dict[str, list[Wanted]]:
    found: dict[str, list[Wanted]] = defaultdict(list)
    for leased, mailbox in wanted:
        found[leased.followup["kind"]].append((leased, mailbox))
    return found
