"""Everything about one person as one document: what is answered to somebody who asks what is stored about them.

Each resource stands as the API answers it; what is stored besides stands under `stored`, so nothing is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS, entry_of
from osdi.documents import Document, Json
from osdi.hal import Hal
from osdi.ids import now
from osdi.people.merged_people_store import all_ids, ids_of, merged_copies_of
from osdi.privacy.erasure_store import tokens_of
from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, OUTREACH, PERSON, Resource
from osdi.store import Store
from osdi.store.scan import scan

# Internal to the server, and about nobody.
MACHINERY: Final = ("version",)


def person_export(store: Store, hal: Hal, person: Document) -> Json:
    """All that is stored about the person, as JSON that orjson takes (dates are naive UTC). Raises OsdiError 503."""
    held = merged_copies_of(store, ids_of(person))
    ids = all_ids(ids_of(person), held)
    return {
        "exported_date": now(),
        "person": _resource(hal, PERSON, person),
        "subscriptions": _subscriptions(person),
        **{kind.array: list(_titled_entries(store, hal, person, kind.resource)) for kind in (TAGGINGS, ITEMS, ANSWERS)},
        "outreaches": list(_outreaches(store, hal, ids)),
        "merged_people": [
            # Without a date a merge has not ended yet.
            {"merged_date": each.get("merged_date"), "person": _resource(hal, PERSON, each["person"])}
            for each in held
            if each["_id"] != person["_id"]
        ],
        "tokens": [
            {name: token[name] for name in ("name", "created_date", "last_used_date") if name in token}
            for token in tokens_of(store, ids)
        ],
    }


def _resource(hal: Hal, resource: Resource, document: Document) -> Json:
    shown = hal.represent(resource, document)
    shown["_links"].pop("curies", None)
    told = {*shown, *MACHINERY, "_id", "identifiers", "claimed_identifiers"}
    besides = {name: value for name, value in document.items() if name not in told}
    return {**shown, "stored": besides} if besides else shown


def _subscriptions(person: Document) -> Json:
    """Whether they want mails, texts and calls: as it stands, since when the server does not know.

    It was so at the latest when the person changed last.
    """
    return {
        "as_of": person["modified_date"],
        "email_addresses": [
            {name: entry[name] for name in ("address", "status") if name in entry}
            for entry in person.get("email_addresses", ())
        ],
        "phone_numbers": [
            {name: entry[name] for name in ("number", "sms_capable", "do_not_call") if name in entry}
            for entry in person.get("phone_numbers", ())
        ],
    }


def _titled_entries(store: Store, hal: Hal, person: Document, resource: Resource) -> Iterator[Json]:
    """Taggings, items or answers, each with the name of what it is about."""
    pointed_at, field = ENTRIES[resource]
    entries = person.get(resource.collection, ())
    names = _titles_by_id(store.by_ids(pointed_at.collection, sorted({entry[field] for entry in entries})))
    for entry in entries:
        shown = hal.represent(resource, entry_of(_KINDS[resource], person, entry))
        shown["_links"].pop("curies", None)
        yield {pointed_at.name: names.get(entry[field]), **shown}


_KINDS: Final = {kind.resource: kind for kind in (TAGGINGS, ITEMS, ANSWERS)}


def _outreaches(store: Store, hal: Hal, people: Sequence[str]) -> Iterator[Json]:
    """Outreaches of these ids, the oldest first, each with its campaign's name and what became of its follow-ups."""
    names: dict[str, str | None] = {}
    for outreach in scan(store, OUTREACH.collection, {"person_id": {"$in": people}}):
        campaign_id = outreach["advocacy_campaign_id"]
        if campaign_id not in names:
            names |= _titles_by_id(store.by_ids(ADVOCACY_CAMPAIGN.collection, [campaign_id]))
        yield {ADVOCACY_CAMPAIGN.name: names.get(campaign_id), **_resource(hal, OUTREACH, outreach)}


def _titles_by_id(documents: list[Document]) -> dict[str, Any]:
    return {each["_id"]: _title(each) for each in documents}


def _title(document: Mapping[str, Any]) -> str | None:
    return next((document[name] for name in ("name", "title", "summary") if name in document), None)
