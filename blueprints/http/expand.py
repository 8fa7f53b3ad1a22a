"""`$expand`: related resources inside an answer, so that a client needs fewer requests ("Resource Expansion").

What is pointed at is read in one query for a whole page; what lies under a person, in one for each collection.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from blueprints.http.collections import read_entries, read_page, with_total
from blueprints.http.context import hal, settings, store
from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS
from osdi.documents import Json, ReadOnlyDocument
from osdi.errors import invalid
from osdi.people.lookup import get_people
from osdi.people.outreach_links import outreaches_of
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, OUTREACH, PERSON, QUESTION, TAG
from osdi.resources import ENTRIES as PARENTS

EXPAND: Final = "$expand"
REFERENCES: Final = {
    PERSON.rel: (PERSON, "person_id"),
    ADVOCACY_CAMPAIGN.rel: (ADVOCACY_CAMPAIGN, "advocacy_campaign_id"),
    **{parent.rel: (parent, field) for parent, field in PARENTS.values()},
}
ENTRIES: Final = {kind.resource.collection_rel: kind for kind in (TAGGINGS, ITEMS, ANSWERS)}
OF_OUTREACHES: Final = (PERSON.rel, ADVOCACY_CAMPAIGN.rel)
OF_TAGGINGS: Final = (PERSON.rel, TAG.rel)
OF_ITEMS: Final = (PERSON.rel, LIST.rel)
OF_ANSWERS: Final = (PERSON.rel, QUESTION.rel)
OF_PEOPLE: Final = (OUTREACH.collection_rel, *ENTRIES)


def asked(arguments: Mapping[str, Any], allowed: Sequence[str]) -> list[str]:
    """The relations that `$expand` names, each once. Raises OsdiError 400 for one that cannot be expanded here."""
    names = [name.strip() for name in arguments.get("expand", "").split(",")]
    wrong = [name for name in names if name and name not in allowed]
    if wrong:
        raise invalid(f"'{wrong[0][:100]}' cannot be expanded here.", EXPAND, hint=f"One of: {', '.join(allowed)}")
    return list(dict.fromkeys(name for name in names if name))


def expand_pointers(documents: Sequence[ReadOnlyDocument], names: Sequence[str]) -> dict[str, Json]:
    """What is to be embedded in each outreach or entry, by its id: what it points at under these relations."""
    embedded: dict[str, Json] = {document["_id"]: {} for document in documents}
    for name in names:
        resource, pointer = REFERENCES[name]
        ids = {document[pointer] for document in documents if pointer in document}
        if resource is PERSON:
            found = get_people(store(), ids)
        else:
            found = {document["_id"]: document for document in store().by_ids(resource.collection, sorted(ids))}
        shown = {key: hal().represent(resource, with_total(resource, each)) for key, each in found.items()}
        for document in documents:
            if document.get(pointer) in shown:
                embedded[document["_id"]][name] = shown[document[pointer]]
    return embedded


def expand_people(people: Sequence[ReadOnlyDocument], names: Sequence[str]) -> dict[str, Json]:
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
                page = read_page(OUTREACH, first, outreaches_of(person))
            shown[name] = [hal().represent(resource, document) for document in page.documents]
    return embedded
