"""The suppression list of a deployment: its entries are found by the keyed hash of a match key.

The hash is HMAC-SHA256 under a key of the deployment. A reader of this collection alone cannot try addresses on it.

`check_post` and `check_put` keep a change of a person within the list, and the list up to date with the change. The
list counts for contact details that are new to the person, and for what the change says about consent.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from osdi.access.signing_keys import SUPPRESSION, keyed_hash, signing_key
from osdi.action_functions.followup_kinds import primary_value
from osdi.documents import Document, Query, ReadOnlyDocument
from osdi.errors import ErrorDescription
from osdi.ids import now
from osdi.match_keys import EMAIL, MatchKeyRules, email_key, mailbox_key
from osdi.retry import retry_on_conflict
from osdi.store import DocumentStore, Insert, Store, Update, Write
from osdi.store.indexes import SUPPRESSIONS
from osdi.suppression.opt_outs import (
    API,
    BOUNCE,
    CALLS,
    MAIL,
    TEXTS,
    OptOuts,
    OptOutsByKey,
    changed,
    obeying,
    of_entries,
    opt_outs_of,
    status_of,
    united,
    with_opt_outs,
    with_repeat,
    without,
    without_opt_outs,
)

# The reasons of follow-ups that are not sent; an opt-out of mail has the status as its reason.
REASONS: Final = {CALLS: "do_not_call", TEXTS: "not_sms_capable"}
SUBSCRIBED: Final = "subscribed"
# The arrays of contact details, and the property without which an entry is about the primary detail.
CONTACTS: Final = {"email_addresses": "address", "phone_numbers": "number"}
# Warnings for the sender of a post that would undo an opt-out.
KEPT: Final = {
    what: ErrorDescription("OPTED_OUT", description, (f"person.{array}",))
    for what, array, description in (
        (MAIL, "email_addresses", "an address has opted out of mail, and keeps its status. A PUT can subscribe it."),
        (CALLS, "phone_numbers", "a number has opted out of calls, and keeps do_not_call. A PUT can change that."),
        (TEXTS, "phone_numbers", "a number has opted out of texts, and keeps sms_capable. A PUT can change that."),
    )
}


@dataclass(frozen=True)
class Checked:
    """A changed person who obeys the list, the writes to the list, and warnings for the sender."""

    person: Document
    writes: tuple[Write, ...] = ()
    warnings: tuple[ErrorDescription, ...] = ()


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

        With `whole_mailbox` the opt-out of another subaddress of the mailbox counts too: `jane+news@x` for `jane@x`.
        A bounce of another subaddress does not, since anybody can have a mail sent to a subaddress that does not exist.
        """
        return self.reason_in(self._find(what, key, whole_mailbox=whole_mailbox), what, key)

    def reason_in(self, entries: Iterable[ReadOnlyDocument], what: str, key: str) -> str | None:
        """Returns the reason as `reason` does, from entries that the query of `selection` has found."""
        opted_out = self._opt_outs_in(entries, what, key)
        if not opted_out:
            return None
        return REASONS.get(what) or status_of(opted_out[0]["source"]).replace(" ", "_")

    def opt_outs(self, what: str, key: str, *, whole_mailbox: bool) -> list[Document]:
        """Returns the opt-outs `{since, source}` because of which nothing may be sent to a match key; see `reason`."""
        return self._opt_outs_in(self._find(what, key, whole_mailbox=whole_mailbox), what, key)

    def selection(self, what: str, key: str, *, whole_mailbox: bool) -> Query:
        """Returns the query for the entries that may have an opt-out of a match key; see `reason`."""
        digest = self.digest(key)
        if whole_mailbox and what == MAIL:
            return {"$or": [{"_id": digest}, {"mailbox": self.digest(mailbox_key(key))}]}
        return {"_id": digest}

    def _find(self, what: str, key: str, *, whole_mailbox: bool) -> list[Document]:
        return self.store.find(SUPPRESSIONS, self.selection(what, key, whole_mailbox=whole_mailbox))

    def _opt_outs_in(self, entries: Iterable[ReadOnlyDocument], what: str, key: str) -> list[Document]:
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
        add: OptOutsByKey | None = None,
        lift: OptOutsByKey | None = None,
    ) -> tuple[Write, ...]:
        """Returns the writes that lift and add opt-outs; `entries` were read for their keys.

        There is one write for each entry that changes. It fails if the entry was changed since it was read.
        """
        add, lift = add or {}, lift or {}
        found = []
        for key in dict.fromkeys((*lift, *add)):
            before = entries.get(key) or self.new_entry(key)
            after = without_opt_outs(before, lift.get(key, {}), timestamp)
            after = with_opt_outs(after, add.get(key, {}), timestamp)
            if after != before:
                found.append(_write(before, after))
        return tuple(found)

    def change(self, key: str, *, add: OptOuts | None = None, lift: OptOuts | None = None) -> None:
        """Adds and lifts opt-outs of one match key; safe to repeat. Raises OsdiError 503."""

        def attempt() -> None:
            writes = self.writes(self.read([key]), now(), add={key: add or {}}, lift={key: lift or {}})
            if writes:
                self.store.write(*writes)

        retry_on_conflict(attempt)

    def opt_out_of_mail(self, key: str, source: str) -> None:
        """Adds the opt-out of mail by a mailbox's reader, or the time at which the reader repeated it.

        Raises OsdiError 503.
        """

        def attempt() -> None:
            timestamp = now()
            before = self.read([key]).get(key) or self.new_entry(key)
            after = with_opt_outs(before, {MAIL: source}, timestamp)
            after = after if after != before else with_repeat(before, MAIL, timestamp)
            if after != before:
                self.store.write(_write(before, after))

        retry_on_conflict(attempt)

    def new_entry(self, key: str) -> Document:
        """Returns an entry without opt-outs for a match key."""
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


def check_post(
    suppressed: SuppressionList,
    stored: ReadOnlyDocument,
    person: Document,
    posted: ReadOnlyDocument,
    rules: MatchKeyRules,
    source: str | None,
    timestamp: dt.datetime,
    listed: Mapping[str, Document | None],
) -> Checked:
    """Returns the person after a post, with its opt-outs in the list. A post lifts no opt-out.

    `stored` is the person before the post, `posted` the fields of the post. Without a `source` the sender had no token:
    then what the post says is not added to the list. `listed` has the entry of each match key that was read with the
    person, None without an entry; other keys are read here. Raises OsdiError 503.
    """
    known = set(stored.get("contact_keys", ()))
    new = [key for key in person.get("contact_keys", ()) if key not in known]
    stated: OptOutsByKey = {}
    if source is not None:
        after = opt_outs_of(person, rules, source)
        became = changed(opt_outs_of(stored, rules, source), after) if after else {}
        stated = united(became, opt_outs_of(posted, rules, source))
    obedient = person
    writes: tuple[Write, ...] = ()
    if new or stated:
        concerned = {*new, *stated}
        entries = {key: entry for key in concerned if (entry := listed.get(key))}
        entries |= suppressed.read(concerned - listed.keys())
        obedient = obeying(person, of_entries(entries), rules)
        writes = suppressed.writes(entries, timestamp, add=stated)
    warnings = (*_warnings(posted, obedient, rules), *_about_nothing(posted, obedient)) if source is not None else ()
    return Checked(obedient, writes, warnings)


def check_put(
    store: Store,
    stored: ReadOnlyDocument,
    person: Document,
    named: ReadOnlyDocument,
    rules: MatchKeyRules,
    timestamp: dt.datetime,
) -> Checked:
    """Returns the person after a PUT of the fields `named`. Only what it says explicitly lifts an opt-out.

    Raises OsdiError 503.
    """
    if not any(array in named for array in CONTACTS):
        return Checked(person)
    before, after = (opt_outs_of(each, rules, API) for each in (stored, person))
    stated = united(changed(before, after), opt_outs_of(named, rules, API))
    lifted = without(_lifted(named, person, rules), stated)
    suppressed = suppression_list(store)
    entries = suppressed.read(rules.contact_keys(person))
    writes = suppressed.writes(entries, timestamp, add=stated, lift=lifted)
    # A PUT that omits a flag of a number keeps it, as it keeps the status of an address (osdi.crud.resource_rules).
    numbers = {key: {what: by for what, by in each.items() if what != MAIL} for key, each in before.items()}
    opted_out = without(united(numbers, of_entries(entries)), united(lifted, stated))
    # Of two entries for one address or number, the one that opts out counts.
    return Checked(obeying(person, united(opted_out, stated), rules), writes)


def _lifted(named: ReadOnlyDocument, person: ReadOnlyDocument, rules: MatchKeyRules) -> OptOutsByKey:
    """Returns the opt-outs that a PUT lifts; an entry without an address or number is about the primary one."""
    found: list[OptOutsByKey] = []
    for entry in named.get("email_addresses", ()):
        address = entry.get("address") or primary_value(person.get("email_addresses", ()), "address")
        if entry.get("status") == SUBSCRIBED and address:
            found.append({email_key(address): {MAIL: API}})
    for entry in named.get("phone_numbers", ()):
        wanted = {CALLS: entry.get("do_not_call") is False, TEXTS: entry.get("sms_capable") is True}
        if "number" not in entry:
            number = primary_value(person.get("phone_numbers", ()), "number")
            entry = next((each for each in person.get("phone_numbers", ()) if each.get("number") == number), entry)
        key = rules.phone_key(entry) if any(wanted.values()) else None
        if key:
            found.append({key: {what: API for what, is_lifted in wanted.items() if is_lifted}})
    return united(*found)


def _warnings(posted: ReadOnlyDocument, person: ReadOnlyDocument, rules: MatchKeyRules) -> Iterator[ErrorDescription]:
    """Yields a warning for each kind of opt-out that the post would have undone."""
    opted_out = opt_outs_of(person, rules, API)
    if not opted_out:
        return
    wanted = _lifted(posted, person, rules)
    undone = {what for key, each in wanted.items() for what in each if what in opted_out.get(key, {})}
    yield from (KEPT[what] for what in KEPT if what in undone)


def _about_nothing(posted: ReadOnlyDocument, person: ReadOnlyDocument) -> Iterator[ErrorDescription]:
    """Yields a warning for each entry without an address or number, if the person has none that it could be about."""
    for array, detail in CONTACTS.items():
        if any(each.get(detail) for each in person.get(array, ())):
            continue
        for index, entry in enumerate(posted.get(array, ())):
            if entry:
                text = f"the person has no {detail} that this could be about."
                yield ErrorDescription("NOT_STORED", text, (f"person.{array}[{index}]",))
