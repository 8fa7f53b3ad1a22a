"""Old texts are dropped, in batches that read nothing else, and nothing else of an outreach changes."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.ids import id_before, now
from osdi.privacy import retention
from osdi.privacy.erasure import erase
from osdi.privacy.retention import Retention, drop_old_texts
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.store import SETTLED
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.profiled import profiled

DAY = dt.timedelta(days=1)
TEXTS = {"subject": "The river", "message": "I live beside it.", "notes": "They listened."}

Old = Callable[..., str]


@pytest.fixture
def old(api: Client, database: Database) -> Old:
    """Returns a function that records an outreach as of `days` days ago and returns its id."""

    def record(days: int, **fields: object) -> str:
        api.recorded(factories.outreach(**{**TEXTS, **fields}))
        found = database.outreaches.find_one_and_delete({}, sort=[("created_date", -1), ("_id", -1)])
        timestamp = now() - days * DAY
        found |= {
            "_id": f"{id_before(timestamp)}-7{found['_id'][15:]}",
            "created_date": timestamp,
            "modified_date": timestamp,
        }
        database.outreaches.insert_one(found)
        return str(found["_id"])

    return record


def drop_all(store: Store, days: int, timestamp: dt.datetime | None = None) -> int:
    """Drops as a worker does; how many outreaches had texts."""
    dropped, looked_at = 0, 1
    for _ in range(100):
        looked_at, some = drop_old_texts(store, days, timestamp or now())
        dropped += some
        if not looked_at:
            return dropped
    raise AssertionError("It does not come to an end.")


def having_texts(database: Database) -> set[str]:
    return {each["_id"] for each in database.outreaches.find() if set(each) & set(TEXTS)}


class TestTexts:
    def test_are_deleted_after_the_configured_days(self, store: Store, database: Database, old: Old) -> None:
        gone, kept = old(31), old(29)
        before = database.outreaches.find_one({"_id": gone})

        assert drop_all(store, 30) == 1

        assert having_texts(database) == {kept}
        after = database.outreaches.find_one({"_id": gone})
        moved = {"version": before["version"] + 1, "modified_date": after["modified_date"]}
        assert after == {name: value for name, value in before.items() if name not in TEXTS} | moved
        assert after["modified_date"] > before["modified_date"]

    @pytest.mark.parametrize("name", TEXTS)
    def test_are_each_of_these(self, store: Store, database: Database, old: Old, name: str) -> None:
        old(31, **{**dict.fromkeys(TEXTS), name: "said"})

        assert drop_all(store, 30) == 1
        assert having_texts(database) == set()

    def test_are_deleted_in_any_number_of_batches(
        self, store: Store, database: Database, old: Old, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retention, "BATCH", 2)
        for days in (40, 35, 35, 31, 33):
            old(days)
        kept = old(1)

        assert drop_all(store, 30) == 5
        assert having_texts(database) == {kept}
        assert drop_all(store, 30) == 0

    def test_are_deleted_by_the_next_run_when_they_become_old(self, store: Store, database: Database, old: Old) -> None:
        old(31), old(29)
        assert drop_all(store, 30) == 1

        assert drop_all(store, 30, now() + 2 * DAY) == 1

        assert having_texts(database) == set()

    def test_of_a_changed_old_outreach_are_deleted_too(
        self, api: Client, store: Store, database: Database, old: Old, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retention, "BATCH", 2)
        ids = [old(31) for _ in range(5)]
        young = old(1)
        assert drop_all(store, 30) == 5
        address = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
        for each in (*ids, young):
            assert api.put(f"{address}/{each}", {"message": "Said again."}).status_code == 200
        assert having_texts(database) == {*ids, young}

        soon = now() + SETTLED + dt.timedelta(seconds=2)
        assert drop_all(store, 30, soon) == 5

        assert having_texts(database) == {young}
        assert drop_all(store, 30, soon + SETTLED) == 0

    def test_before_the_mark_are_found_within_a_week(self, store: Store, database: Database, old: Old) -> None:
        old(31)
        assert drop_all(store, 30) == 1
        before = now() - 31 * DAY  # as a restore brings back what was before
        database.outreaches.update_many({}, {"$set": {"message": "restored", "modified_date": before}})
        assert drop_all(store, 30, now() + 2 * DAY) == 0

        assert drop_all(store, 30, now() + 8 * DAY) == 1

        assert having_texts(database) == set()

    def test_are_found_by_an_index(self, store: Store, database: Database, old: Old) -> None:
        old(31)
        for _ in range(10):
            old(1)

        with profiled(database) as done:
            drop_all(store, 30)
            drop_all(store, 30, now() + SETTLED + dt.timedelta(seconds=2))

        outreaches = [each for each in done if each.collection == "outreaches"]
        assert len(outreaches) >= 4
        assert [each for each in outreaches if each.plan == "COLLSCAN" or each.sorted] == []
        assert max(each.read for each in outreaches) <= 3


class TestAWorker:
    def test_deletes_texts_and_then_waits_an_hour(
        self, store: Store, settings: Settings, database: Database, old: Old, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old(31)
        worker = Retention(store, Settings(mongodb_uri=settings.mongodb_uri, retain_message_days=30))
        while worker.do_next():
            pass
        assert having_texts(database) == set()
        late = old(31)
        database.retention.delete_many({})

        assert not worker.do_next()
        assert having_texts(database) == {late}

        monkeypatch.setattr(worker, "_texts_after", float("-inf"))
        assert worker.do_next()
        assert having_texts(database) == set()

    def test_keeps_texts_without_the_setting(
        self, store: Store, settings: Settings, database: Database, old: Old
    ) -> None:
        kept = old(4_000)

        assert not Retention(store, Settings(mongodb_uri=settings.mongodb_uri)).do_next()

        assert having_texts(database) == {kept}

    def test_completes_erasures(self, api: Client, store: Store, settings: Settings, database: Database) -> None:
        person = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"].rsplit("/", 1)[1]
        erase(store, person, RULES)
        timestamp = now() - SETTLED - dt.timedelta(seconds=2)
        database.erasures.update_many({}, {"$set": {"erased_date": timestamp}})

        worker = Retention(store, settings)
        assert worker.do_next()
        assert not worker.do_next()

        assert database.erasures.count_documents({}) == 0

    def test_drops_stale_rollups(
        self, api: Client, store: Store, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where nobody reads them any more."""
        outreach = api.recorded(factories.outreach(referrer_data={"source": "jane's letter"}))
        later = [now() + 2 * SETTLED]
        for module in ("reader", "invalidation_store"):
            monkeypatch.setattr(f"osdi.statistics.{module}.now", lambda: later[0])
        assert api.get(f"/advocacy_campaigns/{api.campaign_id}/stats").status_code == 200
        assert "jane's letter" in str(list(database.statistics.find()))
        assert api.put(outreach["_links"]["self"]["href"], {"referrer_data": None}).status_code == 200
        later[0] += SETTLED

        Retention(store, settings).do_next()

        assert "jane's letter" not in str(list(database.statistics.find()))
        assert database.statistics_invalidations.count_documents({}) == 0


class TestApplyRetention:
    def test_deletes_old_texts(self, app: Flask, database: Database, old: Old, deployed: Deployed) -> None:
        old(31)
        kept = old(1)
        scheduled = deployed(retain_message_days=30).http.application

        result = scheduled.test_cli_runner().invoke(args=["apply-retention"])

        assert result.exit_code == 0, result.output
        assert result.output == "Erasures completed: 0.\nOutreaches whose texts were deleted: 1.\n"
        assert having_texts(database) == {kept}

    def test_reports_a_missing_setting(self, app: Flask, database: Database, old: Old) -> None:
        kept = old(4_000)

        result = app.test_cli_runner().invoke(args=["apply-retention"])

        assert "RETAIN_MESSAGE_DAYS is not set: the texts of outreaches are kept." in result.output
        assert having_texts(database) == {kept}
