"""Opt-outs: what a person's contact details say, and what an entry of the suppression list says.

An entry is `{_id, version, mailbox?, refused: {mail|calls|texts: {since, source, repeated?}}, history: [{what, change,
date, source}]}`. Pure: returns new documents.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules, email_key

MAIL, CALLS, TEXTS = "mail", "calls", "texts"

# The sources of opt-outs: how the server learned of one.
LINK: Final = "link"
ONE_CLICK: Final = "one_click"
API: Final = "api"
FILE: Final = "file"
PULL: Final = "pull"
BOUNCE: Final = "bounce"
COMPLAINT: Final = "complaint"
MIGRATION: Final = "migration"

OPTED_OUT, LIFTED = "refused", "lifted"
MAX_HISTORY: Final = 20

UNSUBSCRIBED, BOUNCING, COMPLAINED = "unsubscribed", "bouncing", "spam complaints"
# The source of an opt-out of mail determines the status, and the status these two sources.
STATUSES: Final = {BOUNCE: BOUNCING, COMPLAINT: COMPLAINED}
SOURCES: Final = {status: source for source, status in STATUSES.items()}
# Of two opt-outs of mail the one with the higher number applies.
STRICTNESS: Final = {BOUNCING: 1, UNSUBSCRIBED: 2, COMPLAINED: 3}

# The sources of opt-outs, by MAIL, CALLS and TEXTS.
OptOuts = dict[str, str]
# Opt-outs by match key.
OptOutsByKey = dict[str, OptOuts]


def status_of(source: str) -> str:
    """Returns the status of an e-mail address with an opt-out from this source."""
    return STATUSES.get(source, UNSUBSCRIBED)


def opt_outs_of(person: ReadOnlyDocument, rules: MatchKeyRules, source: str) -> OptOutsByKey:
    """Returns the opt-outs of a person's entries; an entry without an address or number is left out."""
    found: OptOutsByKey = {}
    for entry in person.get("email_addresses", ()):
        if entry.get("status") in STRICTNESS and "address" in entry:
            _add(found, email_key(entry["address"]), {MAIL: SOURCES.get(entry["status"], source)})
    for entry in person.get("phone_numbers", ()):
        opted_out = dict.fromkeys(phone_opt_outs(entry), source)
        key = rules.phone_key(entry) if opted_out else None
        if key:
            _add(found, key, opted_out)
    return found


def phone_opt_outs(entry: ReadOnlyDocument) -> Iterator[str]:
    """Yields what the entry of a phone number opts out of."""
    if entry.get("do_not_call"):
        yield CALLS
    if entry.get("sms_capable") is False:
        yield TEXTS


def changed(before: OptOutsByKey, after: OptOutsByKey) -> OptOutsByKey:
    """Returns the opt-outs of `after` that `before` does not have, or has from another source."""
    found = {key: dict(each.items() - before.get(key, {}).items()) for key, each in after.items()}
    return {key: each for key, each in found.items() if each}


def without(opt_outs: OptOutsByKey, others: OptOutsByKey) -> OptOutsByKey:
    """Returns the opt-outs that `others` does not have."""
    found: OptOutsByKey = {}
    for key, each in opt_outs.items():
        kept = {what: source for what, source in each.items() if what not in others.get(key, {})}
        if kept:
            found[key] = kept
    return found


def united(*several: OptOutsByKey) -> OptOutsByKey:
    """Returns the opt-outs of all, the stricter one of two."""
    found: OptOutsByKey = {}
    for each in several:
        for key, opt_outs in each.items():
            _add(found, key, opt_outs)
    return found


def _add(found: OptOutsByKey, key: str, opt_outs: Mapping[str, str]) -> None:
    there = found.setdefault(key, {})
    for what, source in opt_outs.items():
        if what not in there or _is_stricter(what, source, there[what]):
            there[what] = source


def _is_stricter(what: str, source: str, than: str) -> bool:
    return what == MAIL and STRICTNESS[status_of(source)] > STRICTNESS[status_of(than)]


def with_opt_outs(entry: ReadOnlyDocument, opt_outs: Mapping[str, str], timestamp: dt.datetime) -> Document:
    """Returns the entry with these opt-outs; an opt-out that it has stays, unless the new one is stricter."""
    opted_out = dict(entry.get("refused", {}))
    added = [
        (what, source)
        for what, source in opt_outs.items()
        if what not in opted_out or _is_stricter(what, source, opted_out[what]["source"])
    ]
    if not added:
        return dict(entry)
    opted_out |= {what: {"since": timestamp, "source": source} for what, source in added}
    return {**entry, "refused": opted_out, "history": _extended(entry, OPTED_OUT, dict(added), timestamp)}


def with_repeat(entry: ReadOnlyDocument, what: str, timestamp: dt.datetime) -> Document:
    """Returns the entry with the time at which an opt-out that it has was stated again: its last word.

    `since` and the history stay.
    """
    opted_out = dict(entry["refused"])
    if what in opted_out and opted_out[what]["since"] < timestamp:
        opted_out[what] = {**opted_out[what], "repeated": timestamp}
    return {**entry, "refused": opted_out}


def without_opt_outs(entry: ReadOnlyDocument, lifted: Mapping[str, str], timestamp: dt.datetime) -> Document:
    """Returns the entry without these opt-outs; its history keeps them. The values of `lifted` are sources."""
    gone = {what: source for what, source in lifted.items() if what in entry["refused"]}
    if not gone:
        return dict(entry)
    opted_out = {what: each for what, each in entry["refused"].items() if what not in gone}
    return {**entry, "refused": opted_out, "history": _extended(entry, LIFTED, gone, timestamp)}


def _extended(entry: ReadOnlyDocument, change: str, whats: Mapping[str, str], timestamp: dt.datetime) -> list[Any]:
    added = [{"what": what, "change": change, "date": timestamp, "source": source} for what, source in whats.items()]
    return [*entry.get("history", ()), *added][-MAX_HISTORY:]


def with_earlier(entry: ReadOnlyDocument, earlier: ReadOnlyDocument) -> Document:
    """Returns the present entry with the opt-outs of an earlier copy that nobody has lifted since.

    The history has the changes of both.
    """
    lifted = {each["what"]: each["date"] for each in entry["history"] if each["change"] == LIFTED}
    added = {
        what: each
        for what, each in earlier["refused"].items()
        if what not in entry["refused"] and not (what in lifted and lifted[what] >= each["since"])
    }
    both = [*earlier["history"], *(each for each in entry["history"] if each not in earlier["history"])]
    history = sorted(both, key=lambda each: each["date"])[-MAX_HISTORY:]
    return {**entry, "refused": {**added, **entry["refused"]}, "history": history}


def of_entries(entries: Mapping[str, ReadOnlyDocument]) -> OptOutsByKey:
    """Returns the opt-outs of entries of the list, by match key."""
    return {key: {what: each["source"] for what, each in entry["refused"].items()} for key, entry in entries.items()}


def obeying(person: ReadOnlyDocument, opt_outs: OptOutsByKey, rules: MatchKeyRules) -> Document:
    """Returns the person with these opt-outs in their contact details."""
    obedient = dict(person)
    if any(opt_outs.values()):
        for array, obeyed in (("email_addresses", _obeyed_email), ("phone_numbers", _obeyed_phone)):
            if array in person:
                obedient[array] = [obeyed(entry, opt_outs, rules) for entry in person[array]]
    return obedient


def _obeyed_email(entry: Document, opt_outs: OptOutsByKey, _: MatchKeyRules) -> Document:
    source = opt_outs.get(email_key(entry["address"]), {}).get(MAIL) if "address" in entry else None
    if source is None or STRICTNESS.get(entry.get("status", ""), 0) >= STRICTNESS[status_of(source)]:
        return entry
    return {**entry, "status": status_of(source)}


def _obeyed_phone(entry: Document, opt_outs: OptOutsByKey, rules: MatchKeyRules) -> Document:
    opted_out = opt_outs.get(rules.phone_key(entry) or "", {})
    return {
        **entry,
        **({"do_not_call": True} if CALLS in opted_out else {}),
        **({"sms_capable": False} if TEXTS in opted_out else {}),
    }
