"""Receipts of consent: in the outreach, in the response for token holders, in an export, and after an erasure."""

from collections.abc import Callable

import orjson
import pytest
from pymongo.database import Database

from osdi.consent.confirmation import Confirmation
from osdi.hal import Hal
from osdi.outreaches.consent_receipt import sha256_of
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase
from osdi.privacy.person_export import person_export
from osdi.store import Store
from tests.consent.conftest import JANE, TEXT, Deliver, Tick, consent
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES

RECEIPT = {
    "text": TEXT,
    "sha256": sha256_of(TEXT),
    "language": "en",
    "page_url": "https://osdi.example.org/act/river",
    "channel": "email",
    "list": "supporters",
    "tag": "newsletter",
}


def path_of(api: Client, outreach_id: str) -> str:
    return f"/advocacy_campaigns/{api.campaign_id}/outreaches/{outreach_id}"


def test_a_receipt_has_words_digest_language_page_time_and_request(tick: Tick) -> None:
    outreach = tick(given=consent())

    assert outreach["consents"] == [RECEIPT | {"given_date": outreach["created_date"]}]


def test_a_token_holder_reads_the_receipt_and_the_osdi_fields_do_not_have_it(api: Client, tick: Tick) -> None:
    shown = api.get(path_of(api, tick(given=consent())["_id"])).json

    (receipt,) = shown["osdi_outreach:consents"]
    assert receipt.items() >= RECEIPT.items()
    assert receipt["given_date"] == shown["created_date"]
    assert "consents" not in shown


def test_a_receipt_gets_the_date_of_the_button(
    api: Client,
    tick: Tick,
    deliver_due: Deliver,
    tokens: Callable[[], list[str]],
    press: Callable[[str], Confirmation],
) -> None:
    outreach = tick(given=consent(by_mail=True))
    deliver_due()
    (token,) = tokens()
    press(token)

    (receipt,) = api.get(path_of(api, outreach["_id"])).json["osdi_outreach:consents"]
    assert receipt["confirmed_date"] >= receipt["given_date"]


def test_a_client_cannot_write_a_receipt(api: Client, database: Database) -> None:
    forged = {"consents": [RECEIPT], "osdi_outreach:consents": [RECEIPT], "consent": "yes"}
    for token in (True, False):
        assert api.record(factories.outreach(**forged), token=token).status_code == 200
    outreach_id = database.outreaches.find_one()["_id"]
    assert api.put(path_of(api, outreach_id), {"duration": 1, **forged}).status_code == 200

    assert database.outreaches.count_documents({"consents": {"$exists": True}}) == 0


def test_a_put_keeps_the_receipt(api: Client, tick: Tick, database: Database) -> None:
    outreach = tick(given=consent())

    assert api.put(path_of(api, outreach["_id"]), {"duration": 5}).status_code == 200

    assert database.outreaches.find_one()["consents"] == outreach["consents"]


def test_the_persons_export_shows_it(store: Store, tick: Tick, database: Database) -> None:
    tick(given=consent())

    exported = person_export(store, Hal("https://x.example", "ns"), database.people.find_one() or {}, RULES)

    assert TEXT in orjson.dumps(exported["outreaches"]).decode()


def test_a_merge_keeps_it(api: Client, store: Store, tick: Tick, database: Database) -> None:
    outreach = tick(given=consent())
    survivor = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"].rpartition("/")[2]

    merge_stored_people(store, survivor, outreach["person_id"], RULES)

    merged = database.outreaches.find_one({"_id": outreach["_id"]})
    assert merged["person_id"] == survivor
    assert merged["consents"] == outreach["consents"]


@pytest.mark.parametrize(
    ("choice", "left"),
    [("anonymise", {"sha256", "language", "channel", "given_date"}), ("keep", {*RECEIPT, "given_date"})],
)
def test_after_an_erasure_nothing_of_it_leads_to_the_person(
    choice: str, left: set[str], store: Store, tick: Tick, database: Database
) -> None:
    outreach = tick(given=consent(by_mail=True))

    erase(store, outreach["person_id"], RULES, choice)

    stored = database.outreaches.find_one({"_id": outreach["_id"]})
    assert set(stored["consents"][0]) == left
    assert "person_id" not in stored
    assert JANE not in str(stored)
    assert stored["followups"][0]["reason"] == "no_person"


def test_a_retry_of_the_post_keeps_one_receipt_and_one_mail(tick: Tick, database: Database) -> None:
    first, second = (tick(given=consent(by_mail=True), key="a key of the form") for _ in range(2))

    assert first["_id"] == second["_id"]
    (outreach,) = database.outreaches.find()
    assert len(outreach["consents"]) == len(outreach["followups"]) == 1
