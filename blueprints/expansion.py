"""`$expand`: related resources inside an answer, so that a client needs fewer requests ("Resource Expansion").

What is expanded is read in one query for a whole page of outreaches, or one for each collection of a person.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from blueprints.deployment import hal, settings, store
from blueprints.pages import read_entries, read_page
from osdi.embedded import ANSWERS, ITEMS, TAGGINGS
from osdi.errors import invalid
from osdi.hal import Document, Json
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON

EXPAND = "$expand"
POINTERS = {PERSON.rel: (PERSON, "person_id"), ADVOCACY_CAMPAIGN.rel: (ADVOCACY_CAMPAIGN, "advocacy_campaign_id")}
ENTRIES = {kind.resource.collection_rel: kind for kind in (TAGGINGS, ITEMS, ANSWERS)}
OF_OUTREACHES = tuple(POINTERS)
OF_PEOPLE = (OUTREACH.collection_rel, *ENTRIES)


def asked(arguments: Mapping[str, Any], allowed: Sequence[str]) -> list[str]:
    """The relations that `$expand` names, each once. Raises OsdiError 400 for one that cannot be expanded here."""
    names = [name.strip() for name in arguments.get("expand", "").split(",")]
    wrong = [name for name in names if name and name not in allowed]
    if wrong:
        raise invalid(f"'{wrong[0][:100]}' cannot be expanded here.", EXPAND, hint=f"One of: {', '.join(allowed)}")
    return list(dict.fromkeys(name for name in names if name))


def expand_outreaches(outreaches: Sequence[Document], names: Sequence[str]) -> dict[str, Json]:
    """What is to be embedded in each outreach, by its id: its person, its campaign, or both."""
    embedded: dict[str, Json] = {outreach["_id"]: {} for outreach in outreaches}
    for name in names:
        resource, pointer = POINTERS[name]
        ids = {outreach[pointer] for outreach in outreaches if pointer in outreach}
        found = {document["_id"]: document for document in store().by_ids(resource.collection, sorted(ids))}
        if resource is ADVOCACY_CAMPAIGN:
            found = {key: {**each, "total_outreaches": store().total_outreaches(each)} for key, each in found.items()}
        for outreach in outreaches:
            document = found.get(outreach.get(pointer))
            if document is not None:
                embedded[outreach["_id"]][name] = hal().represent(resource, document)
    return embedded


def expand_people(people: Sequence[Document], names: Sequence[str]) -> dict[str, Json]:
    """What is to be embedded in each person, by their id: the first page of each collection that is named."""
    first = {"page": 1, "per_page": settings().max_pagesize}
    embedded: dict[str, Json] = {}
    for person in people:
        shown = embedded[person["_id"]] = {}
        for name in names:
            if name in ENTRIES:
                resource = ENTRIES[name].resource
                page = read_entries(ENTRIES[name], dict(person), first)
            else:
                resource = OUTREACH
                page = read_page(OUTREACH, first, {"person_id": person["_id"]})
            shown[name] = [hal().represent(resource, document) for document in page.documents]
    return embedded
