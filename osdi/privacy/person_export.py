"""Exports all data about one person as one document, for a person who asks for a copy of their data (GDPR, article 15).

Each resource has the form in which the API returns it; stored fields that the API does not return are under `stored`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS, entry_of, existing_entries
from osdi.documents import Document, Json
from osdi.hal import CLAIMED, Hal
from osdi.ids import now
from osdi.match_keys import MatchKeyRules
from osdi.people.duplicates.exceptions_store import exceptions_of
from osdi.people.merged_people_store import all_ids, ids_of, merged_copies_of
from osdi.privacy.erasure_store import staff_of, tokens_of
from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, OUTREACH, PERSON, Resource
from osdi.store import Store
from osdi.store.scan import scan
from osdi.suppression.of_person import suppressions_of

# Internal fields without personal data.
MACHINERY: Final = ("version",)


def person_export(store: Store, hal: Hal, person: Document, rules: MatchKeyRules) -> Json:
    """Returns all data about the person, as JSON for orjson (dates are naive UTC). Raises OsdiError 503."""
    merged_copies = merged_copies_of(store, ids_of(person))
    ids = all_ids(ids_of(person), merged_copies)
    return {
        "exported_date": now(),
        "person": _resource(hal, PERSON, person),
        "subscriptions": _subscriptions(person),
        "suppressions": suppressions_of(store, person, rules),
        **{kind.array: list(_titled_entries(store, hal, person, kind.resource)) for kind in (TAGGINGS, ITEMS, ANSWERS)},
        "outreaches": list(_outreaches(store, hal, ids)),
        "merged_people": [
            # A merge that is still running has no date.
            {"merged_date": each.get("merged_date"), "person": _resource(hal, PERSON, each["person"])}
            for each in merged_copies
            if each["_id"] != person["_id"]
        ],
        # That the person is not another one. The ids of the others are left out: they are data about other people.
        "duplicate_exceptions": [{"created_date": each["created_date"]} for each in exceptions_of(store, ids)],
        "tokens": [
            {name: token[name] for name in ("name", "created_date", "last_used_date") if name in token}
            for token in tokens_of(store, ids)
        ],
        "staff": [
            {name: member[name] for name in ("name", "email", "created_date", "disabled")}
            for member in staff_of(store, ids)
        ],
    }


def _resource(hal: Hal, resource: Resource, document: Document) -> Json:
    shown = hal.represent(resource, document)
    shown["_links"].pop("curies", None)
    covered = {*shown, *MACHINERY, "_id", "identifiers", *CLAIMED}
    others = {name: value for name, value in document.items() if name not in covered}
    return {**shown, "stored": others} if others else shown


def _subscriptions(person: Document) -> Json:
    """Returns the current subscriptions to mails, texts and calls.

    `as_of` is the person's last change, because the server does not record when a subscription changed.
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
    """Yields taggings, items or answers, each with the name of its tag, list or question."""
    pointed_at, field = ENTRIES[resource]
    entries = [entry for _, entry in existing_entries(store, _KINDS[resource], [person])]
    names = _titles_by_id(store.by_ids(pointed_at.collection, sorted({entry[field] for entry in entries})))
    for entry in entries:
        shown = hal.represent(resource, entry_of(_KINDS[resource], person, entry))
        shown["_links"].pop("curies", None)
        yield {pointed_at.name: names.get(entry[field]), **shown}


_KINDS: Final = {kind.resource: kind for kind in (TAGGINGS, ITEMS, ANSWERS)}


def _outreaches(store: Store, hal: Hal, people: Sequence[str]) -> Iterator[Json]:
    """Yields the outreaches of these people, oldest first, each with its campaign's name and its follow-ups' states."""
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
