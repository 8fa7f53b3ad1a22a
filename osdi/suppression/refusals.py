"""Refusals: what a person's contact details say, and what an entry of the suppression list says.

An entry is `{_id, version, mailbox?, refused: {mail|calls|texts: {since, source, repeated?}}, history: [{what, change,
date, source}]}`. Pure: returns new documents.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules, email_key

MAIL, CALLS, TEXTS = "mail", "calls", "texts"

# The sources of refusals: how the server learned of one.
LINK: Final = "link"
ONE_CLICK: Final = "one_click"
API: Final = "api"
FILE: Final = "file"
PULL: Final = "pull"
BOUNCE: Final = "bounce"
COMPLAINT: Final = "complaint"
MIGRATION: Final = "migration"

REFUSED, LIFTED = "refused", "lifted"
HISTORY: Final = 20

UNSUBSCRIBED, BOUNCING, COMPLAINED = "unsubscribed", "bouncing", "spam complaints"
# The source of a refusal of mail determines the status, and the status these two sources.
STATUSES: Final = {BOUNCE: BOUNCING, COMPLAINT: COMPLAINED}
SOURCES: Final = {status: source for source, status in STATUSES.items()}
# Of two refusals of mail the one with the higher number applies.
STRICTNESS: Final = {BOUNCING: 1, UNSUBSCRIBED: 2, COMPLAINED: 3}

# The sources of refusals, by MAIL, CALLS and TEXTS.
Refusals = dict[str, str]
# Refusals by match key.
RefusalsByKey = dict[str, Refusals]


def status_of(source: str) -> str:
    """Returns the status of an e-mail address whose mail is refused by this source."""
    return STATUSES.get(source, UNSUBSCRIBED)


def refusals_of(person: ReadOnlyDocument, rules: MatchKeyRules, source: str) -> RefusalsByKey:
    """Returns what a person's entries refuse; an entry without an address or number is left out."""
    found: RefusalsByKey = {}
    for entry in person.get("email_addresses", ()):
        if entry.get("status") in STRICTNESS and "address" in entry:
            _add(found, email_key(entry["address"]), {MAIL: SOURCES.get(entry["status"], source)})
    for entry in person.get("phone_numbers", ()):
        refused = dict.fromkeys(refused_by(entry), source)
        key = rules.phone_key(entry) if refused else None
        if key:
            _add(found, key, refused)
    return found


def refused_by(entry: ReadOnlyDocument) -> Iterator[str]:
    """Yields what the entry of a phone number refuses."""
    if entry.get("do_not_call"):
        yield CALLS
    if entry.get("sms_capable") is False:
        yield TEXTS


def changed(before: RefusalsByKey, after: RefusalsByKey) -> RefusalsByKey:
    """Returns the refusals of `after` that `before` does not have, or has from another source."""
    found = {key: dict(each.items() - before.get(key, {}).items()) for key, each in after.items()}
    return {key: each for key, each in found.items() if each}


def without(refusals: RefusalsByKey, others: RefusalsByKey) -> RefusalsByKey:
    """Returns the refusals that `others` does not have."""
    found: RefusalsByKey = {}
    for key, each in refusals.items():
        kept = {what: source for what, source in each.items() if what not in others.get(key, {})}
        if kept:
            found[key] = kept
    return found


def united(*several: RefusalsByKey) -> RefusalsByKey:
    """Returns the refusals of all, the stricter one of two."""
    found: RefusalsByKey = {}
    for each in several:
        for key, refusals in each.items():
            _add(found, key, refusals)
    return found


def _add(found: RefusalsByKey, key: str, refusals: Mapping[str, str]) -> None:
    there = found.setdefault(key, {})
    for what, source in refusals.items():
        if what not in there or _is_stricter(what, source, there[what]):
            there[what] = source


def _is_stricter(what: str, source: str, than: str) -> bool:
    return what == MAIL and STRICTNESS[status_of(source)] > STRICTNESS[status_of(than)]


def with_refusals(entry: ReadOnlyDocument, refusals: Mapping[str, str], timestamp: dt.datetime) -> Document:
    """Returns the entry with these refusals; a refusal that it has stays, unless the new one is stricter.

    The history has one that stays, too, if it comes from another source: an undo of the first one must not lift it.
    """
    refused = dict(entry.get("refused", {}))
    added = {
        what: {"since": timestamp, "source": source}
        for what, source in refusals.items()
        if what not in refused or _is_stricter(what, source, refused[what]["source"])
    }
    news = {
        what: source
        for what, source in refusals.items()
        if what in added or (source != MIGRATION and source not in _sources_since(entry, what, refused[what]["since"]))
    }
    if not news:
        return dict(entry)
    return {**entry, "refused": refused | added, "history": _extended(entry, REFUSED, news, timestamp)}


def _sources_since(entry: ReadOnlyDocument, what: str, since: dt.datetime) -> set[str]:
    """Returns the sources that have stated a refusal from this time on."""
    stated = (each for each in entry["history"] if each["what"] == what and each["change"] == REFUSED)
    return {entry["refused"][what]["source"], *(each["source"] for each in stated if each["date"] >= since)}


def with_repeat(entry: ReadOnlyDocument, what: str, timestamp: dt.datetime) -> Document:
    """Returns the entry with the time at which a refusal that it has was stated again: its last word.

    `since` and the history stay.
    """
    refused = dict(entry["refused"])
    if what in refused and refused[what]["since"] < timestamp:
        refused[what] = {**refused[what], "repeated": timestamp}
    return {**entry, "refused": refused}


def without_refusals(entry: ReadOnlyDocument, lifted: Mapping[str, str], timestamp: dt.datetime) -> Document:
    """Returns the entry without these refusals; its history keeps them. The values of `lifted` are sources."""
    gone = {what: source for what, source in lifted.items() if what in entry["refused"]}
    if not gone:
        return dict(entry)
    refused = {what: each for what, each in entry["refused"].items() if what not in gone}
    return {**entry, "refused": refused, "history": _extended(entry, LIFTED, gone, timestamp)}


def _extended(entry: ReadOnlyDocument, change: str, whats: Mapping[str, str], timestamp: dt.datetime) -> list[Any]:
    added = [{"what": what, "change": change, "date": timestamp, "source": source} for what, source in whats.items()]
    return [*entry.get("history", ()), *added][-HISTORY:]


def with_earlier(entry: ReadOnlyDocument, earlier: ReadOnlyDocument) -> Document:
    """Returns the present entry with the refusals of an earlier copy that nobody has lifted since.

    The history has the changes of both.
    """
    lifted = {each["what"]: each["date"] for each in entry["history"] if each["change"] == LIFTED}
    added = {
        what: each
        for what, each in earlier["refused"].items()
        if what not in entry["refused"] and not (what in lifted and lifted[what] >= each["since"])
    }
    both = [*earlier["history"], *(each for each in entry["history"] if each not in earlier["history"])]
    history = sorted(both, key=lambda each: each["date"])[-HISTORY:]
    return {**entry, "refused": {**added, **entry["refused"]}, "history": history}


def of_entries(entries: Mapping[str, ReadOnlyDocument]) -> RefusalsByKey:
    """Returns the refusals of entries of the list, by match key."""
    return {key: {what: each["source"] for what, each in entry["refused"].items()} for key, entry in entries.items()}


def obeying(person: ReadOnlyDocument, refusals: RefusalsByKey, rules: MatchKeyRules) -> Document:
    """Returns the person with these refusals in their contact details."""
    obedient = dict(person)
    if any(refusals.values()):
        for array, obeyed in (("email_addresses", _obeyed_email), ("phone_numbers", _obeyed_phone)):
            if array in person:
                obedient[array] = [obeyed(entry, refusals, rules) for entry in person[array]]
    return obedient


def _obeyed_email(entry: Document, refusals: RefusalsByKey, _: MatchKeyRules) -> Document:
    source = refusals.get(email_key(entry["address"]), {}).get(MAIL) if "address" in entry else None
    if source is None or STRICTNESS.get(entry.get("status", ""), 0) >= STRICTNESS[status_of(source)]:
        return entry
    return {**entry, "status": status_of(source)}


def _obeyed_phone(entry: Document, refusals: RefusalsByKey, rules: MatchKeyRules) -> Document:
    refused = refusals.get(rules.phone_key(entry) or "", {})
    return {
        **entry,
        **({"do_not_call": True} if CALLS in refused else {}),
        **({"sms_capable": False} if TEXTS in refused else {}),
    }
