"""The numbered migration steps, in order. `osdi.operations.migrations` runs them.

A step changes stored documents in batches and yields the number of changed documents after each batch. It is safe to
repeat. It leaves documents that the previous version can still read, unless its docstring says otherwise.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pymongo import ReplaceOne, UpdateOne

from osdi.action_functions.answers import FURTHER_ANSWERS, set_further_answers
from osdi.documents import Document
from osdi.errors import DuplicateKey
from osdi.match_keys import (
    DERIVED_KEYS,
    EMAIL,
    NAME,
    NAME_AND_POSTAL_CODE,
    NAMED,
    PHONE,
    MatchKeyRules,
    email_key,
    name_key,
)
from osdi.people.duplicates.keys_store import set_derived_keys_of_all
from osdi.resources import ADVOCACY_CAMPAIGN, PERSON, Resource
from osdi.store import Store
from osdi.store.indexes import INVALIDATIONS, MATCH_KEYS, MERGED_PEOPLE, STATISTICS, TOMBSTONES, create
from osdi.store.scan import scan
from osdi.suppression.suppression_store import fill_from_people

BATCH: Final = 500
WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True)
class MigrationContext:
    """The arguments of a step: the store, and the deployment's rules for match keys."""

    store: Store
    rules: MatchKeyRules


@dataclass(frozen=True)
class Migration:
    """A step to schema version `number`. `run` yields the number of changed documents after each batch."""

    number: int
    description: str
    run: Callable[[MigrationContext], Iterator[int]]


def set_contact_keys(context: MigrationContext) -> Iterator[int]:
    """Adds `contact_keys` to people who lack them; filters by e-mail and phone, unsubscribing and follow-ups use them.

    A concurrent write of a person sets the keys, too, so the step changes only people with an unchanged version.
    """
    without = {"contact_keys": {"$exists": False}}
    contacts = {"$or": [{f"{array}.0": {"$exists": True}} for array in ("email_addresses", "phone_numbers")]}
    people = scan(context.store, PERSON.collection, without | contacts, wait_seconds=WAIT_SECONDS)
    while batch := list(islice(people, BATCH)):
        keys_of_people = [(person, context.rules.contact_keys(person)) for person in batch]
        updates = [
            UpdateOne({"_id": person["_id"], "version": person["version"], **without}, {"$set": {"contact_keys": keys}})
            for person, keys in keys_of_people
            if keys
        ]
        yield _changed_by(context.store, updates)


def set_name_keys(context: MigrationContext) -> Iterator[int]:
    """Adds the keys of names to people who lack them; `GET /people/duplicates` finds probable duplicates by them."""
    # The unique index first: if two people owned a key, MongoDB could not create it later.
    create(context.store.collection(PERSON.collection), (MATCH_KEYS,))
    yield from set_derived_keys_of_all(context.store, context.rules)


def rename_stored_names(context: MigrationContext) -> Iterator[int]:
    """Renames fields, keys and collections to the terms that docs/architecture.md lists.

    The previous, unreleased version does not read the new names: stop it before this step runs.
    """
    store = context.store
    with store.operation():
        campaigns = store.collection(ADVOCACY_CAMPAIGN.collection)
        yield campaigns.update_many({}, {"$rename": {"open_door": "anonymous_posts"}}).modified_count
    for collection, prefix in ((PERSON.collection, ""), (MERGED_PEOPLE, "person.")):
        for field in (f"{prefix}match_keys", f"{prefix}unclaimed_keys"):
            yield from _rename_keys(store, collection, field)
    yield from _move_documents(store, "erased", TOMBSTONES)
    with store.operation():
        # Unread invalidations are deleted, so the rollups that they concern must be deleted, too. The server counts
        # rollups again when it needs them.
        for name in ("statistics_touches", STATISTICS):
            store.collection(name).delete_many({})


def _rename_keys(store: Store, collection: str, field: str) -> Iterator[int]:
    """Gives the keys of names with postal codes their present prefix in one array field."""
    old, new = "namesake:", NAME_AND_POSTAL_CODE
    renamed = {
        "$cond": [
            {"$eq": [{"$indexOfCP": ["$$key", old]}, 0]},
            {"$concat": [new, {"$substrCP": ["$$key", len(old), {"$strLenCP": "$$key"}]}]},
            "$$key",
        ]
    }
    change = [{"$set": {field: {"$map": {"input": f"${field}", "as": "key", "in": renamed}}}}]
    has_old = {field: {"$regex": f"^{old}"}}
    while True:
        with store.operation():
            documents = store.collection(collection)
            ids = [each["_id"] for each in documents.find(has_old, {"_id": 1}).limit(BATCH)]
            if not ids:
                return
            changed = documents.update_many({"_id": {"$in": ids}}, change).modified_count
        yield changed


def _move_documents(store: Store, old: str, new: str) -> Iterator[int]:
    """Moves every document of one collection to another."""
    while True:
        with store.operation():
            batch = list(store.collection(old).find().limit(BATCH))
            if not batch:
                return
            moves = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in batch]
            store.collection(new).bulk_write(moves, ordered=False)
            store.collection(old).delete_many({"_id": {"$in": [each["_id"] for each in batch]}})
        yield len(batch)


def compare_domains_as_sent(context: MigrationContext) -> Iterator[int]:
    """Gives e-mail keys with a domain that is not ASCII the form in which mail is sent to it (see `email_key`).

    If two people turn out to have one mailbox, the one who has the key keeps it; of two old keys the older person's
    becomes the key. The other person has it among `unclaimed_keys`, and is listed as a probable duplicate.
    """
    not_ascii = {"$regex": f"^{EMAIL}.*[^ -~]"}
    query = {"$or": [{"match_keys": not_ascii}, {"contact_keys": not_ascii}]}
    people = scan(context.store, PERSON.collection, query, wait_seconds=WAIT_SECONDS)
    for person in people:
        yield _with_keys_as_sent(context, person)


def _with_keys_as_sent(context: MigrationContext, person: Document) -> int:
    return _store_keys(context, person, [_as_sent(key) for key in person["match_keys"]])


def _store_keys(context: MigrationContext, person: Document, new_keys: Iterable[str]) -> int:
    """Stores a person's keys anew; returns 1 if that changed the person. A concurrent write sets them by itself."""
    keys = list(dict.fromkeys(new_keys))
    for match_keys in (keys, [key for key in keys if key in person["match_keys"]]):
        changed = {**person, "match_keys": match_keys}
        context.rules.set_derived_keys(changed)
        fields = {name: changed[name] for name in ("match_keys", *DERIVED_KEYS) if name in changed}
        gone = {name: "" for name in DERIVED_KEYS if name in person and name not in changed}
        if not gone and all(person.get(name) == value for name, value in fields.items()):
            return 0
        change = {"$set": fields} | ({"$unset": gone} if gone else {})
        try:
            with context.store.operation():
                found = context.store.collection(PERSON.collection)
                selected = {"_id": person["_id"], "version": person["version"]}
                return found.update_one(selected, change).modified_count
        except DuplicateKey:
            continue  # another person has the key: without it
    return 0


def _as_sent(key: str) -> str:
    return email_key(key.removeprefix(EMAIL)) if key.startswith(EMAIL) and not key.isascii() else key


def fill_suppressions(context: MigrationContext) -> Iterator[int]:
    """Adds the opt-outs of stored people to the suppression list, which outlives people."""
    yield from fill_from_people(context.store, context.rules)


def compare_phones_without_extension(context: MigrationContext) -> Iterator[int]:
    """Gives phone keys the number without its extension, read in the country that is named (see `phone_key`).

    If two people turn out to have one number, the one who has the key keeps it, as with e-mail domains.
    """
    unusual = [
        {"phone_numbers.number": {"$regex": r"[^\d\s()+./-]"}},
        {"phone_numbers.country": {"$regex": "^.{3,}|^[Uu][Kk]$"}},
    ]
    for person in scan(context.store, PERSON.collection, {"$or": unusual}, wait_seconds=WAIT_SECONDS):
        new = dict(_phone_keys(context.rules, person))
        yield _store_keys(context, person, [new.get(key, key) for key in person["match_keys"]])


def _phone_keys(rules: MatchKeyRules, person: Document) -> Iterator[tuple[str, str]]:
    """Yields the former and the new key of each phone number of a person."""
    for entry in person["phone_numbers"]:
        former = rules.number_key(str(entry.get("number", "")), str(entry.get("country") or ""))
        new = rules.phone_key(entry)
        if former and new:
            yield former, new


def confirm_only_contacts(context: MigrationContext) -> Iterator[int]:
    """Confirms the contact detail of people who own one only, so that their mails contain their names as before.

    Of two or more, one may be a stranger's: an earlier release let an anonymous post claim an address and a number. So
    these stay unconfirmed until the next post, PUT or import with a token contains them (docs/decisions/0027).
    """
    without: Document = {"confirmed_keys": {"$exists": False}, "anonymous_only": {"$exists": False}}
    people = scan(context.store, PERSON.collection, without, wait_seconds=WAIT_SECONDS)
    while batch := list(islice(people, BATCH)):
        owned = [(each, [key for key in each["match_keys"] if key.startswith((EMAIL, PHONE))]) for each in batch]
        updates = [
            UpdateOne({"_id": each["_id"], "version": each["version"], **without}, {"$set": {"confirmed_keys": keys}})
            for each, keys in owned
            if len(keys) == 1
        ]
        yield _changed_by(context.store, updates)


def set_name_words(context: MigrationContext) -> Iterator[int]:
    """Adds the words of names to people who lack them; a search by name compares with them."""
    yield from set_derived_keys_of_all(context.store, context.rules)


def compare_names_in_one_form(context: MigrationContext) -> Iterator[int]:
    """Gives the keys of tags' and lists' names the form of `name_key`, which ignores the Unicode form of a name.

    If two names turn out to be one, the first tag or list keeps the key. The other one is found by id and identifiers.
    """
    for resource in NAMED:
        not_ascii = {"match_keys": {"$regex": f"^{NAME}.*[^ -~]"}}
        for document in scan(context.store, resource.collection, not_ascii, wait_seconds=WAIT_SECONDS):
            others = [key for key in document["match_keys"] if not key.startswith(NAME)]
            if [*others, name_key(document["name"])] != document["match_keys"]:
                yield _with_name_key(context.store, resource, document, others)


def _with_name_key(store: Store, resource: Resource, document: Document, others: list[str]) -> int:
    """Stores the key of a name anew; returns 1 if that changed the document."""
    selected = {"_id": document["_id"], "version": document["version"]}
    for keys in ([*others, name_key(document["name"])], others):
        if sorted(keys) == sorted(document["match_keys"]):
            return 0
        try:
            with store.operation():
                found = store.collection(resource.collection)
                return found.update_one(selected, {"$set": {"match_keys": keys}}).modified_count
        except DuplicateKey:
            continue  # another tag or list has the name: without the key
    return 0


def delete_statistics(context: MigrationContext) -> Iterator[int]:
    """Deletes the stored counts of statistics, which have another form now; the worker or a reader counts again."""
    with context.store.operation():
        for name in (STATISTICS, INVALIDATIONS):
            yield context.store.collection(name).delete_many({}).deleted_count


def set_first_words(context: MigrationContext) -> Iterator[int]:
    """Puts the first word of each name among the words of people with long names; filters by name compare with it."""
    long_names = {"name_words.7": {"$exists": True}}
    for person in scan(context.store, PERSON.collection, long_names, wait_seconds=WAIT_SECONDS):
        yield _store_keys(context, person, person["match_keys"])


def count_further_answers(context: MigrationContext) -> Iterator[int]:
    """Adds the numbers of further answers to people with several answers to a question; totals of answers add them up.

    A concurrent write of answers sets the numbers too.
    """
    people = scan(context.store, PERSON.collection, {"answers.1": {"$exists": True}}, wait_seconds=WAIT_SECONDS)
    while batch := list(islice(people, BATCH)):
        updates = []
        for person in batch:
            changed = dict(person)
            set_further_answers(changed)
            if FURTHER_ANSWERS in changed and changed != person:
                selected = {"_id": person["_id"], "version": person["version"]}
                updates.append(UpdateOne(selected, {"$set": {FURTHER_ANSWERS: changed[FURTHER_ANSWERS]}}))
        yield _changed_by(context.store, updates)


def _changed_by(store: Store, updates: list[UpdateOne]) -> int:
    """Does the updates of people; returns the number of changed people."""
    if not updates:
        return 0
    with store.operation():
        return store.collection(PERSON.collection).bulk_write(updates, ordered=False).modified_count


MIGRATIONS: Final = (
    Migration(1, "added the keys of contact details to people", set_contact_keys),
    Migration(2, "added the keys of names to people", set_name_keys),
    Migration(3, "renamed stored fields, keys and collections", rename_stored_names),
    Migration(4, "compared e-mail domains in the form in which mail is sent", compare_domains_as_sent),
    Migration(5, "added the opt-outs of people to the suppression list", fill_suppressions),
    Migration(6, "compared phone numbers without extensions", compare_phones_without_extension),
    Migration(7, "confirmed the contact detail of people who have one only", confirm_only_contacts),
    Migration(8, "compared names of tags and lists in one Unicode form", compare_names_in_one_form),
    Migration(9, "added the words of names to people", set_name_words),
    Migration(10, "deleted the stored counts of statistics", delete_statistics),
    Migration(11, "put the first word of each name among the words of long names", set_first_words),
    Migration(12, "counted the further answers of people with several to a question", count_further_answers),
)
