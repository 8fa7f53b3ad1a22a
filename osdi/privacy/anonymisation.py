"""What stays of an outreach whose person is erased: what counts, and nothing that tells who it was.

The definition of a field says whether it stays (`after_erasure`); a new field is removed. A word that anybody may
write, such as a source, stays where other people's outreaches say the same: then it is about none of them.

Pure.
"""

from collections.abc import Sequence, Set
from typing import Any, Final

from osdi.action_functions.followup_kinds import LEASED, QUEUED, SKIPPED
from osdi.documents import ReadOnlyDocument
from osdi.fields.contacts import TARGET
from osdi.fields.definition import AfterErasure, Table
from osdi.fields.outreach import OUTREACH_TYPES, REFERRER_DATA
from osdi.resources import OUTREACH

Word = tuple[str, str]

# What becomes of an erased person's outreaches.
KEEP, ANONYMISE, DELETE = "keep", "anonymise", "delete"
CHOICES: Final = (KEEP, ANONYMISE, DELETE)

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
    # What is told is the outreach as it is then.
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
NO_PERSON: Final = "no_person"


def anonymised(outreach: ReadOnlyDocument, common: Set[Word]) -> dict[str, Any]:
    """The outreach without its person, texts and identifiers; `common` has the words that others said too."""
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
    return left | _followups(outreach)


def unlinked(outreach: ReadOnlyDocument) -> dict[str, Any]:
    """The outreach as it is, without its person and without what is made of their contact details."""
    gone = ("person_id", "moved_from_ids", "claimed_identifiers", "fingerprint")
    left = {name: value for name, value in outreach.items() if name not in gone}
    given = [key for key in outreach["match_keys"] if key.startswith("id:")]
    left["match_keys"] = given or _own_keys(outreach)
    return left | _followups(outreach)


def words(outreach: ReadOnlyDocument) -> dict[str, str]:
    """The outreach's own words, by name."""
    return {name: outreach[name] for name in WORDS if name in outreach}


def all_words(outreach: ReadOnlyDocument) -> set[Word]:
    """Each word of the outreach and of its referrer data, with its name; but not the standard's types."""
    said = outreach.get("referrer_data", {})
    found = words(outreach) | {name: said[name] for name in REFERRER_WORDS if name in said}
    return {(name, value) for name, value in found.items() if value not in OUTREACH_TYPES}


def said_by_others(others: Sequence[ReadOnlyDocument], people: Set[str]) -> set[Word]:
    """The words that outreaches of at least OTHERS people who are not among `people` have in common."""
    sayers: dict[Word, set[str]] = {}
    for outreach in others:
        person_id = outreach.get("person_id")
        if person_id and person_id not in people:
            for word in all_words(outreach):
                sayers.setdefault(word, set()).add(person_id)
    return {word for word, who in sayers.items() if len(who) >= OTHERS}


def _own_keys(outreach: ReadOnlyDocument) -> list[str]:
    """The key that the server gave: those of identifiers, and of the sender's contact details, are the person's.

    There is always one, since two outreaches without any would collide in the unique index.
    """
    own = [key for key in outreach["match_keys"] if key.startswith("id:") and key.endswith(f":{outreach['_id']}")]
    return own or [f"id:{outreach['_id']}"]


def _followups(outreach: ReadOnlyDocument) -> dict[str, Any]:
    """The follow-ups, without whom they were to reach; what has not been sent is not."""
    left = [{name: each[name] for name in FOLLOWUP if name in each} for each in outreach.get("followups", ())]
    for followup in left:
        if followup["state"] in (QUEUED, LEASED):
            followup |= {"state": SKIPPED, "reason": NO_PERSON}
    return {"followups": left} if left else {}
