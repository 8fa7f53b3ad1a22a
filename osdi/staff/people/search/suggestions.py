"""People who are similar to a search that has found nobody, and what a form for a new person begins with."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from osdi.documents import Document
from osdi.match_keys import MatchKeyRules, email_key
from osdi.people.lookup import keys_of, search_people
from osdi.resources import PERSON
from osdi.staff.people.names import email_of, name_of
from osdi.store import Store
from osdi.values.names import search_words

MAX_SUGGESTIONS: Final = 5
# A search that finds nobody is tried again with the beginning of each word, which may have a mistake further behind.
BEGINNING: Final = 3
MAX_WORDS: Final = 4


def suggestions(store: Store, text: str, rules: MatchKeyRules) -> list[tuple[str, str, str]]:
    """Returns the id, name and e-mail address of at most MAX_SUGGESTIONS people who are similar to the text.

    Raises OsdiError 503.
    """
    found: dict[str, Document] = {}
    for person in _similar(store, text, rules):
        found[person["_id"]] = person
        if len(found) == MAX_SUGGESTIONS:
            break
    return [(person["_id"], name_of(person), email_of(person)) for person in found.values()]


def first_values(text: str, rules: MatchKeyRules) -> dict[str, str]:
    """Returns the fields that a form for a new person begins with, for the text of a search."""
    if "@" in text:
        return {"address": text}
    if any(key.startswith("phone:") for key in keys_of(text, rules)):
        return {"number": text}
    given, _, family = text.rpartition(" ")
    return {"given_name": given, "family_name": family} if given else {"given_name": text}


def _similar(store: Store, text: str, rules: MatchKeyRules) -> Iterator[Document]:
    """Yields people with the same beginning of the address, or with one of the words or its beginning in their name."""
    local, at, _ = text.strip().partition("@")
    if at and local:
        query = {"contact_keys": {"$regex": f"^{re.escape(email_key(f'{local}@'))}"}}
        yield from store.find(PERSON.collection, query, limit=MAX_SUGGESTIONS)
    words = list(islice(search_words(local.replace(".", " ")), MAX_WORDS))
    for word in (*words, *(word[:BEGINNING] for word in words if len(word) > BEGINNING)):
        yield from search_people(store, word, rules, limit=MAX_SUGGESTIONS).people
