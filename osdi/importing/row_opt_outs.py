"""Stores a row's opt-outs at all addresses and numbers of its person, those that the row does not have too.

"Do not call" in a row with an e-mail address only is about the numbers that the person has.
"""

from collections.abc import Collection
from copy import deepcopy
from typing import Final

from osdi.access.tokens import Caller
from osdi.documents import Document, Find
from osdi.importing.csv_files.row_consent import opt_out
from osdi.people.lookup import get_person
from osdi.people.signup import sign_up
from osdi.resources import PERSON
from osdi.settings import Settings
from osdi.store import Store
from osdi.values.opt_out_flags import CALLS, MAIL, TEXTS

ARRAYS: Final = {MAIL: "email_addresses", CALLS: "phone_numbers", TEXTS: "phone_numbers"}
NOTHING_KNOWN: Final = "The person opted out of {}, but has no {} that this could be about."


def opt_out_everywhere(
    store: Store, find: Find, settings: Settings, person_id: str, opted_out: Collection[str], *, caller: Caller
) -> list[str]:
    """Changes the stored person, if needed, so that all addresses and numbers opt out. Returns warnings.

    Raises OsdiError.
    """
    person = get_person(store, person_id)  # the survivor, if the person was merged since
    if person is None:  # erased since
        return []
    changed = deepcopy({name: person[name] for name in set(ARRAYS.values()) if name in person})
    opt_out(changed, opted_out)
    different = {name: entries for name, entries in changed.items() if entries != person[name]}
    if different:
        link = {"person": {"href": f"/api/{PERSON.collection}/{person['_id']}"}}
        sign_up(store, find, {"person_link": link, "person": different}, caller, settings)
    return [_warning(each) for each in sorted(opted_out) if not _has(person, ARRAYS[each])]


def _has(person: Document, array: str) -> bool:
    return any(each.get("address") or each.get("number") for each in person.get(array, ()))


def _warning(opted_out: str) -> str:
    return NOTHING_KNOWN.format(opted_out, "e-mail address" if opted_out == MAIL else "phone number")
