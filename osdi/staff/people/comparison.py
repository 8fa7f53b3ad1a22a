"""Two people side by side: each field beside what a merge of both makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS
from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules
from osdi.people.outreach_links_store import outreaches_of
from osdi.people.survivorship import combine
from osdi.resources import OUTREACH, PERSON
from osdi.staff.people.names import NAME_PARTS
from osdi.staff.people.person_page import address_line, entries_of
from osdi.store import Store

# The fields that most members look at first; the others follow in the order of the standard.
FIRST: Final = (*NAME_PARTS, "email_addresses", "phone_numbers", "postal_addresses")
CREATED: Final = "created_date"


@dataclass(frozen=True)
class Compared:
    """A field of two people beside what a merge of them makes of it; each value is a list of lines.

    `differs` is true if the other person has something that the survivor does not have in this form.
    """

    name: str
    survivor: tuple[str, ...]
    other: tuple[str, ...]
    result: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return self.survivor != self.other


def compare(store: Store, survivor: Document, other: Document, rules: MatchKeyRules) -> list[Compared]:
    """Returns the fields of two people, each beside the result of a merge of the other one into the survivor.

    A field that neither has is left out. Raises OsdiError 503.
    """
    sides = [_lines(store, each) for each in (survivor, other, combine(survivor, other, rules))]
    rows = [Compared(name, *(side[name] for side in sides)) for name in sides[2] if any(side[name] for side in sides)]
    return [*rows, _outreaches(store, survivor, other)]


def _outreaches(store: Store, survivor: Document, other: Document) -> Compared:
    one, another = (store.count(OUTREACH.collection, outreaches_of(each)) for each in (survivor, other))
    return Compared(OUTREACH.collection, (str(one),), (str(another),), (str(one + another),))


def _lines(store: Store, person: Document) -> dict[str, tuple[str, ...]]:
    fields = {name: _texts(name, person.get(name)) for name in dict.fromkeys((*FIRST, *PERSON.fields))}
    answers = entries_of(store, ANSWERS, person)
    return {
        **fields,
        "identifiers": tuple(person.get("identifiers", ())),
        "tags": tuple(each.name for each in entries_of(store, TAGGINGS, person)),
        "lists": tuple(each.name for each in entries_of(store, ITEMS, person)),
        "answers": tuple(f"{each.name}: {each.value}" for each in answers),
        CREATED: (f"{person[CREATED]:%Y-%m-%d}",),
    }


def _texts(name: str, value: Any) -> tuple[str, ...]:
    """Returns the lines for the value of a field; none for no value."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(filter(None, (_text(name, each) for each in entries)))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    if name == "postal_addresses":
        return address_line(value) + _if_primary(value)
    if name == "email_addresses":
        return " ".join(str(value[part]) for part in ("address", "status") if value.get(part)) + _if_primary(value)
    if name == "phone_numbers":
        opted_out = (
            ", no calls" if value.get("do_not_call") else "",
            ", no texts" if _opted_out_of_texts(value) else "",
        )
        return str(value.get("number", "")) + "".join(opted_out) + _if_primary(value)
    return _words(value)


def _words(value: Any) -> str:
    """Returns a value in a line, with the values inside it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{part}: {_words(each)}" for part, each in value.items())
    return "; ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value)


def _if_primary(entry: ReadOnlyDocument) -> str:
    return ", primary" if entry.get("primary") else ""


def _opted_out_of_texts(entry: ReadOnlyDocument) -> bool:
    return entry.get("sms_capable") is False
