"""Processes whose clock is wrong: ids, totals, statistics and leases follow the database's clock."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi import ids
from osdi.action_functions.followup_kinds import AUTORESPONSE
from osdi.crud import totals_store
from osdi.followups.leases.lease_store import lease_batch
from osdi.ids import id_before, new_id, now
from osdi.settings import Settings
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.clocks import shift_clock

HOUR = 3_600
WRONG = [-HOUR, -600, 600, HOUR, 25 * HOUR]
Process = Callable[[], Client]


@pytest.fixture
def right_time() -> Iterator[Callable[[], dt.datetime]]:
    """Returns the time of this machine, also while the clock of `osdi` is shifted."""
    before = ids._ahead
    yield lambda: dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    ids.follow_clock(before)


@pytest.fixture
def process(api: Client, settings: Settings, right_time: Callable[[], dt.datetime]) -> Iterator[Process]:
    """Makes clients of applications as separate processes have them: each measures the clock anew."""
    made: list[Flask] = []

    def make() -> Client:
        made.append(create_app(replace(settings)))
        client = Client(made[-1].test_client(), api.token)
        client.campaign_id = api.campaign_id
        return client

    yield make
    for app in made:
        app.extensions[EXTENSION].store.close()


def total(client: Client) -> int:
    return int(client.get(f"/advocacy_campaigns/{client.campaign_id}").json["total_outreaches"])


def counted(client: Client) -> int:
    return int(client.get(f"/advocacy_campaigns/{client.campaign_id}/stats").json["total"]["outreaches"])


@pytest.mark.parametrize("seconds", WRONG)
def test_ids_and_times_are_those_of_the_database(
    process: Process, monkeypatch: pytest.MonkeyPatch, right_time: Callable[[], dt.datetime], seconds: int
) -> None:
    shift_clock(monkeypatch, seconds)
    assert abs(now() - right_time()).total_seconds() > 500

    process().recorded(factories.outreach())

    assert abs(now() - right_time()) <= dt.timedelta(seconds=2)
    made = [new_id() for _ in range(500)]
    assert len(set(made)) == len(made)
    around = dt.timedelta(seconds=2)
    assert id_before(right_time() - around) < min(made) < max(made) < id_before(right_time() + around)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seconds", WRONG)
def test_a_reader_with_a_wrong_clock_hides_no_outreach(
    process: Process, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    monkeypatch.setattr(totals_store, "MAX_UNCOUNTED", 3)
    right = process()
    for _ in range(6):
        right.recorded(factories.outreach())
    with monkeypatch.context() as shifted:
        shift_clock(shifted, seconds)
        reader = process()
        assert (total(reader), counted(reader)) == (6, 6)

    for _ in range(2):
        right.recorded(factories.outreach())

    assert (total(right), counted(right)) == (8, 8)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seconds", WRONG)
def test_an_outreach_that_was_recorded_by_a_wrong_clock_is_counted(
    process: Process, monkeypatch: pytest.MonkeyPatch, database: Database, seconds: int
) -> None:
    monkeypatch.setattr(totals_store, "MAX_UNCOUNTED", 3)
    right = process()
    old = id_before(now() - dt.timedelta(minutes=30))
    for number in range(6):  # outreaches that the mark includes
        right.recorded(factories.outreach())
        document = database.outreaches.find_one_and_delete({"_id": {"$gt": old}}, sort=[("_id", -1)])
        assert document is not None
        document["_id"] = f"{old}-7000-8000-{number:012}"
        document["match_keys"] = [f"id:{document['_id']}"]
        database.outreaches.insert_one(document)
    assert (total(right), counted(right)) == (6, 6)
    assert database.advocacy_campaigns.find_one({"_id": right.campaign_id})["counted"]["outreaches"] == 6

    with monkeypatch.context() as shifted:
        shift_clock(shifted, seconds)
        process().recorded(factories.outreach())

    assert (total(right), counted(right)) == (7, 7)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seconds", WRONG)
def test_a_worker_with_a_wrong_clock_takes_no_followup_that_another_one_has_leased(
    api: Client,
    settings: Settings,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    right_time: Callable[[], dt.datetime],
    seconds: int,
) -> None:
    thanks = factories.message()
    api.created("/messages", thanks)
    campaign = f"/advocacy_campaigns/{api.campaign_id}"
    assert api.put(f"{campaign}/triggers", {"autoresponse": {"identifiers": thanks["identifiers"]}}).status_code == 200
    api.recorded(factories.outreach(triggers={"autoresponse": {"enabled": True}}))
    assert lease_batch(store, now(), 120, [AUTORESPONSE], 1)
    shift_clock(monkeypatch, seconds)
    other = Store(settings.mongodb_uri)
    other.count("outreaches", {"_id": "none"})

    leased_again = lease_batch(other, now(), 120, [AUTORESPONSE], 1, lost=True)

    other.close()
    assert leased_again == []


@pytest.mark.parametrize(("seconds", "words"), [(HOUR, "3600 s ahead of"), (-600, "600 s behind")])
def test_a_wrong_clock_is_reported_by_readyz_and_the_log(
    process: Process, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], seconds: int, words: str
) -> None:
    shift_clock(monkeypatch, seconds)
    client = process()

    responses = [client.http.get("/readyz") for _ in range(2)]

    assert [(response.status_code, response.json["status"]) for response in responses] == [(200, "ready")] * 2
    assert all(words in response.json["warnings"][0] for response in responses)
    assert capfd.readouterr().out.count('"event":"clock"') == 1


@pytest.mark.parametrize("seconds", [0, 0.5, -0.5, 3])
def test_a_small_difference_is_not_reported(process: Process, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    shift_clock(monkeypatch, seconds)

    assert process().http.get("/readyz").json == {"status": "ready"}
