"""`$expand`: embeds related resources in a response, so that a client needs fewer requests ("Resource Expansion").

Referenced resources are read in one query for the whole page; a person's collections in one query each.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from blueprints.http.collections import read_entries, read_page, with_total
from blueprints.http.context import hal, settings, store
from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS
from osdi.documents import Json, ReadOnlyDocument
from osdi.errors import invalid
from osdi.people.lookup import get_people
from osdi.people.outreach_links_store import outreaches_of
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


def requested_relations(arguments: Mapping[str, Any], allowed: Sequence[str]) -> list[str]:
    """Returns the relations in `$expand`, each once. Raises OsdiError 400 for a relation that is not in `allowed`."""
    names = [name.strip() for name in arguments.get("expand", "").split(",")]
    unknown = [name for name in names if name and name not in allowed]
    if unknown:
        raise invalid(f"'{unknown[0][:100]}' cannot be expanded here.", EXPAND, hint=f"One of: {', '.join(allowed)}")
    return list(dict.fromkeys(name for name in names if name))


def expand_references(documents: Sequence[ReadOnlyDocument], names: Sequence[str]) -> dict[str, Json]:
    """Returns the embedded resources of each outreach or entry, by its id: those that these relations refer to."""
    embedded: dict[str, Json] = {document["_id"]: {} for document in documents}
    for name in names:
        resource, field = REFERENCES[name]
        ids = {document[field] for document in documents if field in document}
        if resource is PERSON:
            found = get_people(store(), ids)
        else:
            found = {document["_id"]: document for document in store().by_ids(resource.collection, sorted(ids))}
        representations = {key: hal().represent(resource, with_total(resource, each)) for key, each in found.items()}
        for document in documents:
            if document.get(field) in representations:
                embedded[document["_id"]][name] = representations[document[field]]
    return embedded


def expand_people(people: Sequence[ReadOnlyDocument], names: Sequence[str]) -> dict[str, Json]:
    """Returns the embedded resources of each person, by id: the first page of each of these collections."""
    first_page = {"page": 1, "per_page": settings().max_pagesize}
    embedded: dict[str, Json] = {}
    for person in people:
        collections = embedded[person["_id"]] = {}
        for name in names:
            if name in ENTRIES:
                resource = ENTRIES[name].resource
                page = read_entries(ENTRIES[name], dict(person), first_page)
            else:
                resource = OUTREACH
                page = read_page(OUTREACH, first_page, outreaches_of(person))
            collections[name] = [hal().represent(resource, document) for document in page.documents]
    return embedded
