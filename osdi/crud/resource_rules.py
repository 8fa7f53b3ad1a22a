"""The special rules of each resource for PUT and DELETE: one row for each in `RULES`.

A field of a row that is not set means the default: the document with that id is read, values are replaced, identifiers
are its only match keys, and nothing else is written or deleted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from osdi.crud.campaign_page import PAGE, replace_settings, slug_keys
from osdi.crud.totals_store import total_outreaches
from osdi.crud.unlink_store import forget_wrapper
from osdi.deletions.records import campaign_deletion, person_deletion
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import conflict
from osdi.fields.outreach import ACTION_DATE_OFFSET
from osdi.ids import now
from osdi.match_keys import MatchKeyRules, confirm_contacts, name_and_postal_code_keys, name_key
from osdi.outreaches.deletion_store import delete_late_outreaches_of, delete_outreach, delete_outreaches_of
from osdi.people.duplicates.exceptions_store import remove_exceptions_of
from osdi.people.lookup import get_person
from osdi.people.merge import finish_merges_of
from osdi.people.merge_rules import CONTACT_VALUE, events_of_change, keep_status, one_primary, same_email
from osdi.people.merged_people_store import all_ids, delete_merged_copies, ids_of, merged_copies_of
from osdi.people.opt_outs import UNCONFIRMED, unconfirmed_after_change
from osdi.people.outreach_links_store import forget_person
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, OUTREACH, PERSON, TAG, WRAPPER, Resource
from osdi.statistics.invalidation import invalidate, invalidate_created
from osdi.statistics.invalidation_store import complete, delete_rollups, invalidate_all
from osdi.store import Insert, Store
from osdi.store.indexes import EMBEDDING_SITES, POSTAL_CODES
from osdi.suppression.suppression_list import Checked, check_put

# Takes the stored value (None if there is none) and the one of a PUT.
ReplaceValue = Callable[[Any, Any], Any]
# Takes the changed document and the fields that the PUT names; returns match keys.
DeriveKeys = Callable[[Store, Document, ReadOnlyDocument, MatchKeyRules], list[str]]
# Takes the stored and the changed document, and the fields that the PUT names; sets fields of the changed document.
DeriveFields = Callable[[MatchKeyRules, ReadOnlyDocument, Document, ReadOnlyDocument], None]


# The title of a campaign without title and name: clients list campaigns by their title.
UNTITLED: Final = "Untitled campaign"

CheckOptOuts = Callable[[Store, Document, Document, ReadOnlyDocument, MatchKeyRules], Checked]


@dataclass(frozen=True)
class ResourceRules:
    """The rules of one resource. Functions take the stored document and, for a change, the changed one."""

    # Returns the fields that a new document gets in addition to the posted ones.
    defaults: Callable[[ReadOnlyDocument], Mapping[str, Any]] = lambda posted: {}
    # Finds the document for PUT.
    find: Callable[[Store, str], Document | None] | None = None
    # Fields whose new value does not simply replace the stored one.
    replace: Mapping[str, ReplaceValue] = field(default_factory=dict)
    # Returns match keys besides those of identifiers, and may set the fields that they derive from; sets fields that
    # derive from all match keys.
    derive_keys: DeriveKeys | None = None
    derive_fields: DeriveFields | None = None
    # Keeps the changed document within the suppression list; takes the stored one and the fields that the PUT names.
    check_opt_outs: CheckOptOuts | None = None
    # Events of a change for webhooks, and a write that belongs to the same transaction.
    events: Callable[[Document, Document], tuple[str, ...]] = lambda stored, changed: ()
    invalidate: Callable[[Document, Document], Insert | None] = lambda stored, changed: None
    # DELETE: a write that belongs to the same transaction.
    invalidate_deleted: Callable[[Document], Insert | None] = lambda stored: None

    # DELETE: the record that is published in the same transaction, from all ids of the document.
    record: Callable[[Sequence[str]], Insert | None] = lambda ids: None
    # DELETE: raises OsdiError if an id without a document needs another error than 404.
    check_missing: Callable[[Store, str], None] = lambda store, document_id: None
    # Raises OsdiError if the document must not be deleted; takes `force` of the request.
    before_delete: Callable[[Store, Document, bool], None] = lambda store, stored, force: None
    delete: Callable[[Store, Document], None] | None = None
    # Returns further ids of the document, which links to it may have.
    other_ids: Callable[[Store, Document], list[str]] = lambda store, stored: []
    # Removes data that belongs to the document, and links to it; takes `_id` and `merged_ids`. It may be repeated.
    after_delete: Callable[[Store, ReadOnlyDocument], None] = lambda store, deleted: None


def rules_of(resource: Resource) -> ResourceRules:
    """Returns the rules of a resource: its row in RULES, or DEFAULT."""
    return RULES.get(resource, DEFAULT)


def replace_contacts(value: str, stored: list[Any] | None, posted: list[Any]) -> list[Any]:
    """Returns a person's new e-mail addresses or phone numbers: the posted ones, of which one is primary.

    `value` is the name of the address or number. A posted entry without it changes the primary entry.
    """
    kept = stored or []
    entries = [_with_kept_status(kept, entry) for entry in posted if value in entry] or [dict(entry) for entry in kept]
    primary = next((entry for entry in entries if entry.get("primary")), entries[0] if entries else None)
    for entry in posted:
        if value not in entry and primary is not None:
            primary.update(entry)
    return one_primary(entries)


def _with_kept_status(stored: list[Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a posted entry; without a status it keeps a stored status of KEPT_STATUSES."""
    if "status" in entry:
        return dict(entry)
    return keep_status(next((each for each in stored if same_email(each, entry)), entry), dict(entry))


def person_keys(store: Store, changed: Document, named: ReadOnlyDocument, rules: MatchKeyRules) -> list[str]:
    """Returns the match keys of contact details, and of name and postal code, that the person may claim.

    A contact detail that another person owns stays unclaimed. So does one that an anonymous post has added, until a
    change contains it: a change of a name or status does not confirm an address. For a phone number of another person
    it claims the key of number and name.
    """
    former = changed["match_keys"]
    known = (*former, *changed.get("unclaimed_keys", ()))
    by_name = name_and_postal_code_keys(changed)
    posted = [key for key in rules.contact_keys(named) if key not in former]
    shared = {phone: key for phone, key in rules.phone_and_name_keys(changed) if phone not in former}
    new = [*posted, *(key for key in by_name if key not in known), *(shared[each] for each in posted if each in shared)]
    owned = {key for person in store.by_match_keys(PERSON.collection, new) for key in person["match_keys"]}
    free = [key for key in new if key not in owned]
    finish_merges_of(store, free, rules)
    of_shared_phones = (key for phone, key in shared.items() if phone not in free)
    return [key for key in (*rules.contact_keys(changed), *by_name, *of_shared_phones) if key in former or key in free]


def derive_person_fields(
    rules: MatchKeyRules, stored: ReadOnlyDocument, changed: Document, named: ReadOnlyDocument
) -> None:
    """Sets the fields of a changed person that derive from match keys, and what the PUT has confirmed."""
    contacts = rules.contact_keys(named)
    if contacts or changed != stored:
        confirm_contacts(changed, contacts)
    unconfirmed = unconfirmed_after_change(stored, changed, named, rules)
    changed.pop(UNCONFIRMED, None)
    if unconfirmed:
        changed[UNCONFIRMED] = unconfirmed
    rules.set_derived_keys(changed)


def keep_offset(_: MatchKeyRules, stored: ReadOnlyDocument, changed: Document, named: ReadOnlyDocument) -> None:
    """Keeps the offset of an action date that the PUT does not change: answers contain the date in UTC."""
    if "action_date" not in named or changed.get(ACTION_DATE_OFFSET):
        return
    changed.pop(ACTION_DATE_OFFSET, None)
    if ACTION_DATE_OFFSET in stored and changed.get("action_date") == stored["action_date"]:
        changed[ACTION_DATE_OFFSET] = stored[ACTION_DATE_OFFSET]


def person_opt_outs(
    store: Store, stored: Document, changed: Document, named: ReadOnlyDocument, rules: MatchKeyRules
) -> Checked:
    """Returns the changed person with the opt-outs that the PUT does not lift."""
    return check_put(store, stored, changed, named, rules, now())


def name_keys(store: Store, changed: Document, named: ReadOnlyDocument, rules: MatchKeyRules) -> list[str]:
    """Returns the match key of a tag's or list's name."""
    return [name_key(changed["name"])]


def reject_merged_person(store: Store, person_id: str) -> None:
    """Raises OsdiError 409 for a merged person: a client that deletes a duplicate seldom means the survivor."""
    survivor = get_person(store, person_id)
    if survivor is not None:
        message = f"This person was merged into {survivor['_id']}; use that id to delete the survivor."
        raise conflict("MERGED", message, resource=PERSON.rel)


def default_title(posted: ReadOnlyDocument) -> Document:
    """Returns the title of a campaign that is posted without one: its name, or UNTITLED."""
    return {} if "title" in posted else {"title": posted.get("name", UNTITLED)}


def delete_outreaches(store: Store, campaign: Document, force: bool) -> None:
    """Deletes the outreaches of a campaign. Raises OsdiError 409 if there are some and `force` is False."""
    if not total_outreaches(store, campaign):
        return
    if not force:
        message = "The campaign has outreaches; add ?force=true to delete them too."
        raise conflict("HAS_OUTREACHES", message, resource=ADVOCACY_CAMPAIGN.rel)
    delete_outreaches_of(store, campaign["_id"])


def forget_campaign(store: Store, campaign: ReadOnlyDocument) -> None:
    """Deletes statistics, postal codes and sites of a deleted campaign, and outreaches that were recorded meanwhile."""
    delete_late_outreaches_of(store, campaign["_id"])
    for collection in (POSTAL_CODES, EMBEDDING_SITES):
        store.delete_many(collection, {"advocacy_campaign_id": campaign["_id"]})
    delete_rollups(store, campaign["_id"])


def ids_of_merged(store: Store, person: ReadOnlyDocument) -> list[str]:
    """Returns the ids of people who were merged into this person, directly or through others."""
    return all_ids(ids_of(person), merged_copies_of(store, ids_of(person)))[1:]


def unlink_person(store: Store, person: ReadOnlyDocument) -> None:
    """Removes a deleted person, and people merged into this person, from outreaches; deletes the merged copies."""
    gone = [person["_id"], *ids_of_merged(store, person)]
    invalidated = invalidate_all(store, {"person_id": {"$in": gone}})
    for person_id in gone:
        forget_person(store, person_id, now())
    complete(store, invalidated)
    delete_merged_copies(store, {"survivor_id": person["_id"]})
    remove_exceptions_of(store, gone)


def unlink_wrapper(store: Store, wrapper: ReadOnlyDocument) -> None:
    """Removes the link to a deleted wrapper from its messages."""
    forget_wrapper(store, wrapper["_id"], now())


DEFAULT: Final = ResourceRules()
RULES: Final[Mapping[Resource, ResourceRules]] = {
    PERSON: ResourceRules(
        # Also finds the survivor by the id of a merged person.
        find=get_person,
        replace={
            **{array: partial(replace_contacts, value) for array, value in CONTACT_VALUE.items()},
            "postal_addresses": lambda stored, posted: one_primary(posted),
        },
        derive_keys=person_keys,
        derive_fields=derive_person_fields,
        check_opt_outs=person_opt_outs,
        events=events_of_change,
        check_missing=reject_merged_person,
        record=person_deletion,
        invalidate_deleted=partial(invalidate_created, PERSON.collection),
        other_ids=ids_of_merged,
        after_delete=unlink_person,
    ),
    OUTREACH: ResourceRules(derive_fields=keep_offset, invalidate=invalidate, delete=delete_outreach),
    ADVOCACY_CAMPAIGN: ResourceRules(
        defaults=default_title,
        replace={PAGE: replace_settings},
        derive_keys=slug_keys,
        before_delete=delete_outreaches,
        record=lambda ids: campaign_deletion(ids[0]),
        after_delete=forget_campaign,
    ),
    TAG: ResourceRules(derive_keys=name_keys),
    LIST: ResourceRules(derive_keys=name_keys),
    WRAPPER: ResourceRules(after_delete=unlink_wrapper),
}
