"""The kept fields of an outreach whose person is erased."""

import datetime as dt

import pytest

from osdi.privacy.anonymisation import all_words, anonymised, unlinked, words_of_others

TIMESTAMP = dt.datetime(2026, 3, 18)
OUTREACH = {
    "_id": "o1",
    "version": 2,
    "advocacy_campaign_id": "c1",
    "person_id": "p1",
    "created_date": TIMESTAMP,
    "modified_date": TIMESTAMP,
    "action_date": TIMESTAMP,
    "type": "petition",
    "duration": 120,
    "subject": "The river",
    "message": "I live beside it.",
    "notes": "Was friendly.",
    "origin_system": "Page",
    "referrer_data": {"source": "march", "referrer": "jane", "website": "a.example", "url": "https://a.example/?jane"},
    "targets": [{"title": "Senator", "given_name": "John", "email_addresses": [{"address": "john@example.com"}]}],
    "match_keys": ["id:ours:o1", "id:crm:1", "claimed:x", "idempotency:y"],
    "identifiers": ["crm:1"],
    "claimed_identifiers": ["page:1"],
    "fingerprint": "f",
    "modified_by_id": "p2",
    "webhook_events": [{"webhook_id": "w1", "event": "outreach_recorded"}],
    "webhook_rejections": [{"webhook_id": "w2", "event": "outreach_recorded", "reason": "status_413"}],
    "action_date_offset": -300,
    "something_new": "who knows",
    "own_words": True,
    "new_person": True,
}


def test_keeps_counted_fields_and_removes_all_others() -> None:
    assert anonymised(OUTREACH, set()) == {
        **{name: OUTREACH[name] for name in ("_id", "version", "advocacy_campaign_id", "duration", "webhook_events")},
        **dict.fromkeys(("own_words", "new_person"), True),
        **dict.fromkeys(("created_date", "modified_date", "action_date"), TIMESTAMP),
        "targets": [{"title": "Senator", "given_name": "John"}],
        "match_keys": ["id:ours:o1"],
    }


@pytest.mark.parametrize("standard", ["email", "in-person", "phone", "postal mail"])
def test_a_type_of_the_standard_is_kept(standard: str) -> None:
    assert anonymised(OUTREACH | {"type": standard}, set())["type"] == standard


def test_a_standard_type_is_no_other_words_excuse() -> None:
    left = anonymised(OUTREACH | {"origin_system": "Jane", "referrer_data": {"source": "Jane"}}, {("type", "Jane")})

    assert "referrer_data" not in left
    assert "origin_system" not in left


def test_common_words_are_kept_but_never_an_address() -> None:
    left = anonymised(OUTREACH, all_words(OUTREACH) | {("url", "https://a.example/?jane")})

    assert left["type"] == "petition"
    assert left["origin_system"] == "Page"
    assert left["referrer_data"] == {"source": "march", "referrer": "jane", "website": "a.example"}


@pytest.mark.parametrize(
    ("people", "common"),
    [
        (["p2", "p3"], True),
        (["p2", "p2"], False),  # twice the same
        (["p2", "p1"], False),  # one of those who are erased
        (["p2", None], False),  # who has been erased before
        (["p2", "p3", "p4"], True),
    ],
)
def test_a_word_of_two_other_people_is_common(people: list[str | None], common: bool) -> None:
    others = [{"person_id": each, "referrer_data": {"source": "march"}} for each in people]

    assert (("source", "march") in words_of_others(others, {"p1"})) is common


def test_the_same_word_in_another_field_is_not_common() -> None:
    others = [{"person_id": each, "origin_system": "march"} for each in ("p2", "p3")]

    assert words_of_others(others, {"p1"}) == {("origin_system", "march")}


@pytest.mark.parametrize(
    ("state", "after"),
    [("queued", "skipped"), ("leased", "skipped"), ("sent", "sent"), ("failed", "failed"), ("skipped", "skipped")],
)
@pytest.mark.parametrize("left", [lambda outreach: anonymised(outreach, set()), unlinked])
def test_a_followup_loses_its_recipient(left: object, state: str, after: str) -> None:
    followup = {"_id": "f1", "kind": "autoresponse", "by_token": True, "attempts": 1, "to": "jane@example.com"}
    followup |= {"state": state, "lease": "l", "not_before": TIMESTAMP, "identifiers": ["crm:jane"], "admitted": True}

    (found,) = left(OUTREACH | {"followups": [followup]})["followups"]  # type: ignore[operator]

    reason = {"reason": "no_person"} if state != after else {}
    kept = {name: followup[name] for name in ("_id", "kind", "by_token", "attempts")}
    assert found == {**kept, "state": after, **reason}


def test_a_kept_outreach_loses_only_its_person() -> None:
    gone = ("person_id", "claimed_identifiers", "fingerprint", "match_keys")

    assert unlinked(OUTREACH) == {
        **{name: value for name, value in OUTREACH.items() if name not in gone},
        "match_keys": ["id:ours:o1", "id:crm:1"],
    }


@pytest.mark.parametrize("left", [lambda outreach: anonymised(outreach, set()), unlinked])
def test_every_anonymised_outreach_has_a_key(left: object) -> None:
    assert left(OUTREACH | {"match_keys": ["claimed:x"]})["match_keys"] == ["id:o1"]  # type: ignore[operator]


def test_a_receipt_of_consent_keeps_the_digest_of_its_words_and_its_dates() -> None:
    dates = {"given_date": TIMESTAMP, "confirmed_date": TIMESTAMP}
    kept = {"sha256": "f" * 64, "language": "de", "channel": "email", **dates}
    receipt = kept | {"text": "Yes", "page_url": "https://a.example/jane", "list": "supporters", "tag": "newsletter"}

    assert anonymised(OUTREACH | {"consents": [receipt]}, set())["consents"] == [kept]
    assert unlinked(OUTREACH | {"consents": [receipt]})["consents"] == [receipt]
