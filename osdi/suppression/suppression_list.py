"""The suppression list of a deployment: its entries are found by the keyed hash of a match key.

The hash is HMAC-SHA256 under a key of the deployment. A reader of this collection alone cannot try addresses on it.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from osdi.access.signing_keys import SUPPRESSION, keyed_hash, signing_key
from osdi.documents import Document, Query, ReadOnlyDocument
from osdi.ids import now
from osdi.match_keys import EMAIL, mailbox_key
from osdi.retry import retry_on_conflict
from osdi.store import DocumentStore, Insert, Store, Update, Write
from osdi.store.indexes import SUPPRESSIONS
from osdi.suppression.refusals import (
    BOUNCE,
    CALLS,
    MAIL,
    TEXTS,
    Refusals,
    RefusalsByKey,
    status_of,
    with_refusals,
    with_repeat,
    without_refusals,
)

# The reasons of follow-ups that are not sent; a refusal of mail has the status as its reason.
REASONS: Final = {CALLS: "do_not_call", TEXTS: "not_sms_capable"}


@dataclass(frozen=True)
class SuppressionList:
    """The list in one store. `secret` is the deployment's signing key of the purpose SUPPRESSION."""

    store: DocumentStore
    secret: str

    def digest(self, key: str) -> str:
        """Returns the keyed hash of a match key."""
        return keyed_hash(self._bytes, key)

    def read(self, keys: Collection[str]) -> dict[str, Document]:
        """Returns the entries of these match keys, by match key. Raises OsdiError 503."""
        if not keys:
            return {}
        by_digest = {self.digest(key): key for key in keys}
        return {by_digest[each["_id"]]: each for each in self.store.by_ids(SUPPRESSIONS, list(by_digest))}

    def read_with_owners(
        self, collection: str, match_keys: Sequence[str], keys: Collection[str]
    ) -> tuple[list[Document], dict[str, Document | None]]:
        """Returns the documents that own one of `match_keys`, and the entry of each of `keys`, None without an entry.

        One command reads both. Raises OsdiError 503.
        """
        if not keys:
            return self.store.by_match_keys(collection, match_keys), {}
        digests = {key: self.digest(key) for key in keys}
        owners, entries = self.store.by_match_keys_and_ids(collection, match_keys, SUPPRESSIONS, list(digests.values()))
        by_digest = {each["_id"]: each for each in entries}
        return owners, {key: by_digest.get(digest) for key, digest in digests.items()}

    def reason(self, what: str, key: str, *, whole_mailbox: bool) -> str | None:
        """Returns why nothing may be sent to a match key, as the reason of a follow-up; None if something may.

        With `whole_mailbox` the refusal of another subaddress of the mailbox counts too: `jane+news@x` for `jane@x`.
        A bounce of another subaddress does not, since anybody can have a mail sent to a subaddress that does not exist.
        """
        return self.reason_in(self._find(what, key, whole_mailbox=whole_mailbox), what, key)

    def reason_in(self, entries: Iterable[ReadOnlyDocument], what: str, key: str) -> str | None:
        """Returns the reason as `reason` does, from entries that the query of `selection` has found."""
        refused = self._refusals_in(entries, what, key)
        if not refused:
            return None
        return REASONS.get(what) or status_of(refused[0]["source"]).replace(" ", "_")

    def refusals(self, what: str, key: str, *, whole_mailbox: bool) -> list[Document]:
        """Returns the refusals `{since, source}` because of which nothing may be sent to a match key; see `reason`."""
        return self._refusals_in(self._find(what, key, whole_mailbox=whole_mailbox), what, key)

    def selection(self, what: str, key: str, *, whole_mailbox: bool) -> Query:
        """Returns the query for the entries that may refuse something to a match key; see `reason`."""
        digest = self.digest(key)
        if whole_mailbox and what == MAIL:
            return {"$or": [{"_id": digest}, {"mailbox": self.digest(mailbox_key(key))}]}
        return {"_id": digest}

    def _find(self, what: str, key: str, *, whole_mailbox: bool) -> list[Document]:
        return self.store.find(SUPPRESSIONS, self.selection(what, key, whole_mailbox=whole_mailbox))

    def _refusals_in(self, entries: Iterable[ReadOnlyDocument], what: str, key: str) -> list[Document]:
        digest = self.digest(key)
        return [
            each["refused"][what]
            for each in entries
            if what in each["refused"] and (each["_id"] == digest or each["refused"][what]["source"] != BOUNCE)
        ]

    def writes(
        self,
        entries: Mapping[str, ReadOnlyDocument],
        timestamp: dt.datetime,
        *,
        add: RefusalsByKey | None = None,
        lift: RefusalsByKey | None = None,
    ) -> tuple[Write, ...]:
        """Returns the writes that lift and add refusals; `entries` were read for their keys.

        There is one write for each entry that changes. It fails if the entry was changed since it was read.
        """
        add, lift = add or {}, lift or {}
        found = []
        for key in dict.fromkeys((*lift, *add)):
            before = entries.get(key) or self.new_entry(key)
            after = without_refusals(before, lift.get(key, {}), timestamp)
            after = with_refusals(after, add.get(key, {}), timestamp)
            if after != before:
                found.append(_write(before, after))
        return tuple(found)

    def change(self, key: str, *, add: Refusals | None = None, lift: Refusals | None = None) -> None:
        """Adds and lifts refusals of one match key; safe to repeat. Raises OsdiError 503."""

        def attempt() -> None:
            writes = self.writes(self.read([key]), now(), add={key: add or {}}, lift={key: lift or {}})
            if writes:
                self.store.write(*writes)

        retry_on_conflict(attempt)

    def refuse_mail(self, key: str, source: str) -> None:
        """Adds the word of a mailbox's reader that mail is refused, or the time of the repeated word.

        Raises OsdiError 503.
        """

        def attempt() -> None:
            timestamp = now()
            before = self.read([key]).get(key) or self.new_entry(key)
            after = with_refusals(before, {MAIL: source}, timestamp)
            after = after if after != before else with_repeat(before, MAIL, timestamp)
            if after != before:
                self.store.write(_write(before, after))

        retry_on_conflict(attempt)

    def new_entry(self, key: str) -> Document:
        """Returns an entry without refusals for a match key."""
        mailbox = {"mailbox": self.digest(mailbox_key(key))} if key.startswith(EMAIL) else {}
        return {"_id": self.digest(key), "version": 1, **mailbox, "refused": {}, "history": []}

    @cached_property
    def _bytes(self) -> bytes:
        return bytes.fromhex(self.secret)


def suppression_list(store: Store) -> SuppressionList:
    """Returns the list of a deployment. Its signing key is remembered like reference data. Raises OsdiError 503."""
    return SuppressionList(store, store.remembered(SUPPRESSION, lambda: signing_key(store, SUPPRESSION)))


def _write(before: ReadOnlyDocument, after: Document) -> Write:
    if not before["history"]:
        return Insert(SUPPRESSIONS, after)
    changed = {name: after[name] for name in ("refused", "history")}
    return Update(SUPPRESSIONS, after["_id"], before["version"], changed)
