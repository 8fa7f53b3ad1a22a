"""Anonymises an outreach whose person is erased: keeps what statistics count, removes what identifies the person.

Each field's definition states whether the field is kept (`after_erasure`); a field without a statement is removed. A
free-text value, such as a source, is kept if outreaches of other people have the same value: then it identifies nobody.

Pure.
"""

from collections.abc import Sequence, Set
from typing import Any, Final

from osdi.action_functions.followup_kinds import LEASED, QUEUED, SKIPPED
from osdi.documents import ReadOnlyDocument
from osdi.fields.contacts import TARGET
from osdi.fields.definition import AfterErasure, Table
from osdi.fields.outreach import NEW_PERSON, OUTREACH_TYPES, OWN_WORDS, REFERRER_DATA
from osdi.resources import OUTREACH

Word = tuple[str, str]

# The choices for an erased person's outreaches.
KEEP, ANONYMISE, DELETE = "keep", "anonymise", "delete"
CHOICES: Final = (KEEP, ANONYMISE, DELETE)

# The number of other people who must have a value before the value is kept.
OTHERS: Final = 2


def _names(fields: Table, kept: AfterErasure) -> tuple[str, ...]:
    return tuple(each.name for each in fields if each.after_erasure == kept)


WORDS: Final = _names(OUTREACH.table, "kept if others have it")
REFERRER_WORDS: Final = _names(REFERRER_DATA.fields, "kept if others have it")
FACTS: Final = (
    "_id",
    "version",
    "advocacy_campaign_id",
    "created_date",
    "modified_date",
    *_names(OUTREACH.table, "kept"),
    OWN_WORDS,
    NEW_PERSON,
    # Queued webhook events; each delivery sends the outreach in its anonymised form.
    "webhook_events",
)
TARGET_FACTS: Final = _names(TARGET.fields, "kept")
FOLLOWUP: Final = (
    "_id",
    "kind",
    "state",
    "reason",
    "by_token",
    "queued_date",
    "sent_date",
    "attempts",
    "leases_lost",
    "message_id",
)
# The fields of a receipt that stay: without its person it says that somebody has agreed to these words.
RECEIPT: Final = ("sha256", "language", "channel", "given_date", "confirmed_date")
NO_PERSON: Final = "no_person"


def anonymised(outreach: ReadOnlyDocument, common: Set[Word]) -> dict[str, Any]:
    """Returns the outreach without its person, texts and identifiers; `common` has the values that others have too."""
    left = {name: outreach[name] for name in FACTS if name in outreach}
    left["match_keys"] = _own_keys(outreach)
    said = words(outreach)
    left |= {name: said[name] for name in said if (name, said[name]) in common or said[name] in OUTREACH_TYPES}
    sent = outreach.get("referrer_data", {})
    referrer = {name: sent[name] for name in REFERRER_WORDS if (name, sent.get(name)) in common}
    if referrer:
        left["referrer_data"] = referrer
    if outreach.get("targets"):
        left["targets"] = [{name: each[name] for name in TARGET_FACTS if name in each} for each in outreach["targets"]]
    if outreach.get("consents"):
        left["consents"] = [{name: each[name] for name in RECEIPT if name in each} for each in outreach["consents"]]
    return left | _followups(outreach)


def unlinked(outreach: ReadOnlyDocument) -> dict[str, Any]:
    """Returns the outreach without its person and without all fields derived from the person's contact details."""
    gone = ("person_id", "moved_from_ids", "claimed_identifiers", "claimed_opt_outs", "fingerprint")
    left = {name: value for name, value in outreach.items() if name not in gone}
    given = [key for key in outreach["match_keys"] if key.startswith("id:")]
    left["match_keys"] = given or _own_keys(outreach)
    return left | _followups(outreach)


def words(outreach: ReadOnlyDocument) -> dict[str, str]:
    """Returns the outreach's own free-text values, by field name."""
    return {name: outreach[name] for name in WORDS if name in outreach}


def all_words(outreach: ReadOnlyDocument) -> set[Word]:
    """Returns each free-text value of the outreach and its referrer data, with its field; OSDI's types are left out."""
    said = outreach.get("referrer_data", {})
    found = words(outreach) | {name: said[name] for name in REFERRER_WORDS if name in said}
    return {(name, value) for name, value in found.items() if value not in OUTREACH_TYPES}


def words_of_others(others: Sequence[ReadOnlyDocument], people: Set[str]) -> set[Word]:
    """Returns the values that outreaches of at least OTHERS people outside `people` have."""
    sayers: dict[Word, set[str]] = {}
    for outreach in others:
        person_id = outreach.get("person_id")
        if person_id and person_id not in people:
            for word in all_words(outreach):
                sayers.setdefault(word, set()).add(person_id)
    return {word for word, who in sayers.items() if len(who) >= OTHERS}


def _own_keys(outreach: ReadOnlyDocument) -> list[str]:
    """Returns the match key that the server assigned; keys of identifiers and contact details identify the person.

    There is always one, because two outreaches without keys would collide in the unique index.
    """
    own = [key for key in outreach["match_keys"] if key.startswith("id:") and key.endswith(f":{outreach['_id']}")]
    return own or [f"id:{outreach['_id']}"]


def _followups(outreach: ReadOnlyDocument) -> dict[str, Any]:
    """Returns the follow-ups without their recipients; those that are not sent yet are skipped."""
    left = [{name: each[name] for name in FOLLOWUP if name in each} for each in outreach.get("followups", ())]
    for followup in left:
        if followup["state"] in (QUEUED, LEASED):
            followup |= {"state": SKIPPED, "reason": NO_PERSON}
    return {"followups": left} if left else {}
