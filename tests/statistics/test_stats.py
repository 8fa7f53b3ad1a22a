"""A campaign's statistics over HTTP: their content, their days, and the required access."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from osdi.access.tokens import new_token
from osdi.crud.totals_store import recount
from osdi.statistics import reader
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client


def stats(api: Client, query: str = "") -> dict:
    response = api.get(f"/advocacy_campaigns/{api.campaign_id}/stats{query}")
    assert response.status_code == 200, response.get_data(as_text=True)
    return dict(response.json)


def record(api: Client, date: str, **fields: object) -> dict:
    return api.recorded(factories.outreach(action_date=date, **fields))


def today(zone: str = "UTC") -> str:
    return dt.datetime.now(ZoneInfo(zone)).date().isoformat()


class TestAnswer:
    def test_counts_by_day_type_source_target_and_referrer(self, api: Client) -> None:
        jane = {"email_addresses": [{"address": "jane@example.org"}]}
        ann, water = {"title": "Senator", "given_name": "Ann"}, {"organization": "Riverton Water"}
        newsletter = {"source": "newsletter", "referrer": "group-1"}
        for date, kind, targets, referrer_data in (
            ("2026-11-01T10:00:00Z", "email", [ann, water], newsletter),
            ("2026-11-01T11:00:00Z", "phone", [ann], {}),
            ("2026-11-03T11:00:00Z", "email", [ann, ann], newsletter),
        ):
            record(api, date, person=jane, type=kind, targets=targets, referrer_data=referrer_data)

        found = stats(api, "?from=2026-11-01&to=2026-11-03")

        links = found.pop("_links")
        no_values = {"values": 0, "outreaches": 0}
        assert found == {
            "from": "2026-11-01",
            "to": "2026-11-03",
            "time_zone": "UTC",
            "total": {"outreaches": 3, "people": 1},
            "days": [
                {"date": "2026-11-01", "outreaches": 2, "people": 1},
                {"date": "2026-11-02", "outreaches": 0, "people": 0},
                {"date": "2026-11-03", "outreaches": 1, "people": 1},
            ],
            "by_type": {
                "top": [{"value": "email", "outreaches": 2}, {"value": "phone", "outreaches": 1}],
                "others": no_values,
                "without": 0,
                "complete": True,
            },
            "by_source": {
                "top": [{"value": "newsletter", "outreaches": 2}],
                "others": no_values,
                "without": 1,
                "complete": True,
            },
            "by_target": {
                "top": [{"value": "Senator Ann", "outreaches": 3}, {"value": "Riverton Water", "outreaches": 1}],
                "others": no_values,
                "without": 0,
                "complete": True,
            },
            "by_referrer": {
                "top": [{"value": "group-1", "outreaches": 2}],
                "others": no_values,
                "without": 1,
                "complete": True,
            },
        }
        assert links["self"]["href"].endswith("/stats?from=2026-11-01&to=2026-11-03&time_zone=UTC")
        assert api.get(links["self"]["href"]).status_code == 200
        assert api.follow({"_links": links}, "osdi:advocacy_campaign")["title"]

    def test_names_the_top_ten_and_sums_up_the_others(self, api: Client) -> None:
        for number in range(12):
            for _ in range(2 if number == 7 else 1):
                record(api, "2026-11-01T10:00:00Z", referrer_data={"source": f"s{number:02}"})

        found = stats(api, "?from=2026-11-01&to=2026-11-01")["by_source"]

        assert [each["value"] for each in found["top"]] == ["s07", *(f"s{n:02}" for n in range(10) if n != 7)]
        assert found["others"] == {"values": 2, "outreaches": 2}

    def test_values_past_the_limit_are_summed_up_and_reported(
        self, api: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.statistics.rollup_store.MAX_READ_OUTREACHES", 0)
        monkeypatch.setattr("osdi.statistics.rollups.MAX_VALUES", 2)
        monkeypatch.setattr("osdi.statistics.rollup_store.MAX_VALUES", 2)
        monkeypatch.setattr(reader, "SETTLED", dt.timedelta(seconds=-5))
        for number in (1, 1, 1, 2, 2, 3, 4):
            record(api, "2026-11-01T10:00:00Z", type=f"t{number}")

        for _ in range(2):  # counted, and as it was stored
            found = stats(api, "?from=2026-11-01&to=2026-11-01")
            assert found["by_type"] == {
                "top": [{"value": "t1", "outreaches": 3}, {"value": "t2", "outreaches": 2}],
                "others": {"values": 0, "outreaches": 2},
                "without": 0,
                "complete": False,
            }
            assert found["total"]["outreaches"] == 7

    def test_counts_an_outreach_on_the_day_in_its_time_zone(self, api: Client) -> None:
        record(api, "2026-03-28T23:30:00Z")  # 00:30 in Berlin, on the day that has 23 hours
        record(api, "2026-03-29T21:59:59Z")  # its last second
        record(api, "2026-03-29T22:00:00Z")

        berlin = stats(api, "?from=2026-03-29&to=2026-03-29&time_zone=Europe/Berlin")
        assert (berlin["total"]["outreaches"], berlin["time_zone"]) == (2, "Europe/Berlin")
        assert stats(api, "?from=2026-03-29&to=2026-03-29")["total"]["outreaches"] == 2

    def test_other_campaigns_do_not_count(self, api: Client) -> None:
        other = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"].rsplit("/", 1)[1]
        api.recorded(factories.outreach(), campaign=other)

        assert stats(api)["total"] == {"outreaches": 0, "people": 0}


class TestDays:
    def test_are_from_the_first_outreach_until_today(self, api: Client) -> None:
        week_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=7)).strftime("%Y-%m-%d")
        record(api, f"{week_ago}T10:00:00Z")

        found = stats(api)

        assert (found["from"], found["to"], len(found["days"])) == (week_ago, today(), 8)

    def test_without_outreaches_are_today(self, api: Client) -> None:
        found = stats(api, "?time_zone=Pacific/Auckland")

        assert (found["from"], found["to"]) == (today("Pacific/Auckland"), today("Pacific/Auckland"))

    def test_are_366_at_most(self, api: Client) -> None:
        for date in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z"):
            record(api, date)

        found = stats(api)

        assert found["to"] == today()
        assert len(found["days"]) == 1

    def test_extend_to_the_limit_from_the_requested_one(self, api: Client) -> None:
        assert len(stats(api, "?from=2020-01-01")["days"]) == 366
        assert stats(api, "?from=2100-01-01")["to"] == "2100-01-01"

    def test_before_the_first_outreach_can_be_requested(self, api: Client) -> None:
        record(api, "2026-11-10T10:00:00Z")

        assert stats(api, "?to=2026-11-12")["from"] == "2026-11-10"


class TestChanges:
    def test_are_visible_at_once(self, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "SETTLED", dt.timedelta(seconds=-5))  # everything is counted for good at once
        first, second = (record(api, "2026-11-01T10:00:00Z", type="email") for _ in range(2))
        query = "?from=2026-11-01&to=2026-11-02"
        assert stats(api, query)["total"] == {"outreaches": 2, "people": 2}

        api.put(first["_links"]["self"]["href"], {"type": "fax", "action_date": "2026-11-02T10:00:00Z"})
        changed = stats(api, query)
        assert [each["outreaches"] for each in changed["days"]] == [1, 1]
        assert {each["value"] for each in changed["by_type"]["top"]} == {"email", "fax"}

        api.delete(api.follow(first, "osdi:person")["_links"]["self"]["href"])
        assert stats(api, query)["total"] == {"outreaches": 2, "people": 1}

        api.delete(second["_links"]["self"]["href"])
        assert stats(api, query)["total"] == {"outreaches": 1, "people": 0}

    def test_rollups_are_deleted_with_their_campaign(self, api: Client, store: Store) -> None:
        outreach = record(api, "2026-11-01T10:00:00Z")
        stats(api)
        assert api.put(outreach["_links"]["self"]["href"], {"type": "in-person"}).status_code == 200

        api.delete(f"/advocacy_campaigns/{api.campaign_id}?force=true")

        for collection in ("statistics", "statistics_invalidations"):
            assert store.find_one(collection, {"advocacy_campaign_id": api.campaign_id}) is None

    def test_recount_deletes_rollups(self, api: Client, store: Store) -> None:
        stats(api)

        recount(store)

        assert store.find_one("statistics", {}) is None

    def test_a_large_count_takes_several_requests(self, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        record(api, "2026-11-01T10:00:00Z")
        monkeypatch.setattr(reader, "FIRST_READING_SECONDS", -1)
        address = f"/advocacy_campaigns/{api.campaign_id}/stats?from=2026-10-20&to=2026-11-10"

        statuses = [api.get(address).status_code for _ in range(3)]

        assert statuses == [503, 503, 200]
        assert api.get(address).json["total"]["outreaches"] == 1


class TestAccess:
    def test_a_campaign_links_to_its_statistics(self, api: Client) -> None:
        campaign = api.get(f"/advocacy_campaigns/{api.campaign_id}").json

        assert api.follow(campaign, "osdi_outreach:stats")["total"] == {"outreaches": 0, "people": 0}
        (own,) = (each for each in campaign["_links"]["curies"] if each["name"] == "osdi_outreach")
        page = api.http.get(own["href"].replace("{rel}", "stats").removeprefix("http://localhost"))
        assert (page.status_code, "time_zone" in page.get_data(as_text=True)) == (200, True)

    @pytest.mark.parametrize(
        ("scope", "tied", "status"), [("read", "own", 200), ("read", "other", 403), ("write", "own", 403)]
    )
    def test_a_campaign_scoped_token_reads_its_campaign(
        self, api: Client, store: Store, scope: str, tied: str, status: int
    ) -> None:
        campaign = api.campaign_id if tied == "own" else "another"
        secret, token = new_token("tied", (scope,), advocacy_campaign_id=campaign)
        store.write(Insert(TOKENS, token))

        assert api.get(f"/advocacy_campaigns/{api.campaign_id}/stats", token=secret).status_code == status
