"""Statistics equal a recount in Python, whatever was recorded, changed and deleted, and whenever they were read before.

The recount uses no rollups: it reads every outreach and computes its date in the zone.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from osdi.crud.delete import delete
from osdi.crud.put import Change, put
from osdi.ids import id_before, now
from osdi.people import merge, merged_people_store
from osdi.people.lookup import get_person
from osdi.people.merge import complete_next_merge, merge_stored_people
from osdi.people.outreach_links_store import forget_person
from osdi.privacy import erasure
from osdi.privacy.erasure import erase, finish_next_erasure, resume_erasure
from osdi.resources import OUTREACH, PERSON
from osdi.statistics import invalidation, invalidation_store, reader, recent_store, rollup_store
from osdi.statistics.days import MAX_DAYS, Calendar, dates
from osdi.statistics.reader import StatisticsReader
from osdi.statistics.rollups import Reading, Rollup
from osdi.statistics.tally import COUNTED_KINDS, FLAGS
from osdi.store import Insert, Store
from tests.store.test_store import SERVERS, store_on
from tests.support.examples import examples
from tests.support.factories import RULES
from tests.support.profiled import profiled

CAMPAIGN, OTHER = "campaign", "other"

# Days on which a clock is changed, some of them at midnight, and one that Samoa left out.
CHANGES = [
    ("Europe/Berlin", dt.date(2026, 3, 29)),
    ("Europe/Berlin", dt.date(2026, 10, 25)),
    ("America/New_York", dt.date(2026, 11, 1)),
    ("America/Sao_Paulo", dt.date(2018, 11, 4)),
    ("America/Sao_Paulo", dt.date(2018, 2, 18)),
    ("Africa/Cairo", dt.date(2026, 4, 24)),
    ("Africa/Cairo", dt.date(2026, 10, 30)),
    ("Australia/Lord_Howe", dt.date(2026, 4, 5)),
    ("Asia/Kathmandu", dt.date(2026, 4, 5)),
    ("Pacific/Apia", dt.date(2011, 12, 30)),
    ("UTC", dt.date(2026, 1, 1)),
]
AROUND = 3
TARGETS: list[dict[str, str]] = [
    {"title": "Senator", "given_name": "Ann", "family_name": "Lee"},
    {"title": "Senator", "family_name": "Ann Lee", "ocdid": "ocd-division/country:us"},
    {"organization": "Riverton Water"},
    {"ocdid": "ocd-division/country:us"},
    {"email_addresses": [{"address": "senator@example.org"}]},  # type: ignore[dict-item]
]

moments = st.integers(-AROUND * 24 * 4 - 20, (AROUND + 1) * 24 * 4 + 20)  # quarters of an hour
fields = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["email", "phone", "ünusual", "x" * 250, "x" * 240]),
        "referrer_data": st.fixed_dictionaries(
            {},
            optional={"source": st.sampled_from(["a", "b", "\U0001f600"]), "referrer": st.sampled_from(["r", "$r.x"])},
        ),
        "new_person": st.just(True),
        "own_words": st.booleans(),
        "targets": st.lists(st.sampled_from(TARGETS), max_size=3),
    },
)
recorded = st.tuples(st.just("record"), moments, st.sampled_from("ABCD"), fields, st.integers(0, 60))
changed = st.tuples(st.just("change"), st.integers(0, 30), moments, fields)
cleared = st.tuples(st.just("clear"), st.integers(0, 30), st.sampled_from(["type", "action_date", "targets"]))
deleted = st.tuples(st.just("delete"), st.integers(0, 30))
forgotten = st.tuples(st.just("forget"), st.sampled_from("ABCD"))
waited = st.tuples(st.just("wait"), st.sampled_from([1, 30, 89, 91, 300, 50_000]))
read = st.tuples(st.just("read"), st.integers(-AROUND, AROUND), st.integers(0, 4))
merged = st.tuples(st.just("merge"), st.sampled_from("ABCD"), st.sampled_from("ABCD"))
settled = st.tuples(st.just("settle"))
erased = st.tuples(st.just("erase"), st.sampled_from("ABCD"), st.sampled_from(["anonymise", "keep", "delete"]))
histories = st.lists(
    st.one_of(
        *(recorded, recorded, recorded, recorded, changed, cleared, deleted, forgotten),
        *(merged, settled, erased, waited, waited, read, read),
    ),
    min_size=5,
    max_size=40,
)


@dataclass
class Clock:
    """The time as the store takes it; ids are made from it."""

    timestamp: dt.datetime = dt.datetime(2026, 11, 25, 12, 0, 0)
    made: int = 0

    def now(self) -> dt.datetime:
        return self.timestamp

    def new_id(self, earlier: int = 0) -> str:
        self.made += 1
        return f"{id_before(self.timestamp - dt.timedelta(seconds=earlier))}-{self.made:08}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (reader, invalidation_store, recent_store):
        monkeypatch.setattr(module, "now", clock.now)
    monkeypatch.setattr(invalidation, "new_id", clock.new_id)
    return clock


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with store_on(request.param, request) as store:
        yield store


@lru_cache(maxsize=1)
def reader_of(store: Store) -> StatisticsReader:
    """Returns the one reader of a store, which remembers sums between readings."""
    return StatisticsReader(store, seconds=600)


def empty(store: Store) -> None:
    for name in ("outreaches", "people", "merged_people", "erasures", "statistics", "statistics_invalidations"):
        store.delete_many(name, {})


def there(store: Store, clock: Clock, person_id: str) -> bool:
    """Creates the person unless they existed before; True if they exist now."""
    if get_person(store, person_id) is None:
        dates = {"created_date": clock.timestamp, "modified_date": clock.timestamp}
        store.write(Insert("people", {"_id": person_id, "version": 1, **dates, "match_keys": [f"id:{person_id}"]}))
    return store.get("people", person_id) is not None


def record(
    store: Store, clock: Clock, timestamp: dt.datetime, person: str, *, earlier: int = 0, **fields: Any
) -> dict[str, Any]:
    outreach_id = clock.new_id(earlier)
    outreach = {
        "_id": outreach_id,
        "version": 1,
        "advocacy_campaign_id": CAMPAIGN,
        "person_id": person,
        "created_date": clock.timestamp,
        "modified_date": clock.timestamp,
        "action_date": timestamp,
        "match_keys": [f"id:ns:{outreach_id}"],
        **fields,
    }
    store.write(Insert("outreaches", outreach))
    return outreach


def everything(store: Store, collection: str = "outreaches") -> list[dict[str, Any]]:
    with store.operation():
        return list(store.collection(collection).find())


def around(clock: Clock, zone: ZoneInfo) -> tuple[Calendar, Calendar]:
    """Returns the present day in a zone, and the day with three days before it."""
    today = clock.timestamp.replace(tzinfo=dt.UTC).astimezone(zone).date()
    return Calendar(today, today, zone), Calendar(today - dt.timedelta(days=3), today, zone)


def created(documents: list[dict[str, Any]], calendar: Calendar) -> int:
    """Returns how many documents say that they were created on these days."""
    found = (each["created_date"] for each in documents)
    dates = (each.replace(tzinfo=dt.UTC).astimezone(calendar.zone).date() for each in found)
    return sum(calendar.first <= each <= calendar.last for each in dates)


Counted = tuple[dict[dt.date, Any], int, dict[str, Counter[str | None]]]


def recount(stored: list[dict[str, Any]], zone: ZoneInfo, first: dt.date, last: dt.date) -> Counted:
    """By date `(outreaches, people)`, the people of all dates, and how many outreaches name each value, by kind."""
    by_date: dict[dt.date, list[dict[str, Any]]] = {}
    for each in stored:
        if each["advocacy_campaign_id"] == CAMPAIGN and "action_date" in each:
            date = each["action_date"].replace(tzinfo=dt.UTC).astimezone(zone).date()
            if first <= date <= last:
                by_date.setdefault(date, []).append(each)
    found = {}
    everybody = set()
    by: dict[str, Counter[str | None]] = {kind: Counter() for kind in COUNTED_KINDS}
    for date, outreaches in by_date.items():
        people = {each["person_id"] for each in outreaches if "person_id" in each}
        everybody |= people
        for each in outreaches:
            source = each.get("referrer_data", {})
            by["type"][each.get("type", "")[:200] or None] += 1
            by["source"][source.get("source")] += 1
            for flag in FLAGS:
                by[flag][str(each[flag]).lower() if flag in each else None] += 1
            by["referrer"][source.get("referrer")] += 1
            names = set()
            for target in each.get("targets", []):
                name = f"{target.get('title', '')} {target.get('given_name', '')} {target.get('family_name', '')}"
                names.add(" ".join(name.split()) or target.get("organization") or target.get("ocdid"))
            by["target"].update(names - {None} or {None})
        found[date] = (len(outreaches), len(people))
    return found, len(everybody), by


def counted(store: Store, zone: ZoneInfo, first: dt.date, last: dt.date) -> Counted:
    """The same, as the store counts it."""
    days = dates(first, last)
    tallies, whole = reader_of(store).count(CAMPAIGN, Calendar(first, last, zone))
    assert whole.outreaches == sum(each.outreaches for each in tallies)
    by_day = zip(days, tallies, strict=True)
    return {day: (each.outreaches, each.people) for day, each in by_day if each.outreaches}, whole.people, whole.by


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("store", "small"),
    [*((server, True) for server in SERVERS), ("replica set", False)],
    ids=[*(f"many rounds on {server}" for server in SERVERS), "one round"],
    indirect=["store"],
)
def test_equal_a_recount(store: Store, clock: Clock, small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))
    monkeypatch.setattr(recent_store, "EXTENDED_FROM", 0)
    # Some days are counted in the database, and others are not.
    monkeypatch.setattr(rollup_store, "MAX_READ_OUTREACHES", 2 if small else 0)
    if small:
        monkeypatch.setattr(merged_people_store, "BATCH", 2)
        monkeypatch.setattr(erasure, "BATCH", 2)
        monkeypatch.setattr(reader, "BATCH", 3)
        monkeypatch.setattr(reader, "SAVED_FROM", 1)
        monkeypatch.setattr(rollup_store, "PEOPLE_AT_ONCE", 1)
        monkeypatch.setattr(recent_store, "MAX_LATER", 2)
        monkeypatch.setattr(invalidation_store, "MAX_INVALIDATIONS", 3)
        monkeypatch.setattr(invalidation_store, "MAX_HELD", 2)
        monkeypatch.setattr(rollup_store, "MAX_ROLLUPS", 40)

    def compare(zone: ZoneInfo, first: dt.date, last: dt.date, *, times: int) -> None:
        outreaches = everything(store)
        expected = recount(outreaches, zone, first, last)
        for _ in range(times):  # the second time it is remembered what the days have in all
            assert counted(store, zone, first, last) == expected
        spans = Calendar(first, first, zone), Calendar(first, last, zone)
        numbers = [sum(number for day, (number, _) in expected[0].items() if day <= each.last) for each in spans]
        assert recent_store.outreaches_within(store, [CAMPAIGN, OTHER], spans) == {CAMPAIGN: numbers, OTHER: [0, 0]}
        for resource, stored in ((OUTREACH, outreaches), (PERSON, everything(store, "people"))):
            assert recent_store.created_within(store, resource.collection, around(clock, zone)) == [
                created(stored, each) for each in around(clock, zone)
            ]

    @settings(
        max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(st.sampled_from(CHANGES), histories)
    def check(change: tuple[str, dt.date], history: list[tuple[Any, ...]]) -> None:
        empty(store)
        zone, day = ZoneInfo(change[0]), change[1]
        noon = dt.datetime.combine(day, dt.time(12))
        ids: list[str] = []

        def timestamp(quarters: int) -> dt.datetime:
            return noon + dt.timedelta(minutes=15 * quarters)

        for name, *arguments in [*history, ("read", -AROUND, 2 * AROUND)]:
            # Outreaches that are not settled are counted at each reading.
            if name in ("merge", "erase") or (name in ("change", "clear", "delete", "forget") and len(ids) % 3):
                clock.timestamp += dt.timedelta(seconds=91)
                compare(zone, day - dt.timedelta(days=AROUND), day + dt.timedelta(days=AROUND), times=1)
            if name == "record":
                quarters, person, fields, earlier = arguments
                ids.append(record(store, clock, timestamp(quarters), person, earlier=earlier, **fields)["_id"])
            elif name == "wait":
                clock.timestamp += dt.timedelta(seconds=arguments[0])
            elif name == "forget":
                invalidation_store.invalidate_all(store, {"person_id": arguments[0]})
                forget_person(store, arguments[0], clock.timestamp)
            elif name == "merge":
                both = [there(store, clock, each) for each in arguments]
                if all(both) and arguments[0] != arguments[1]:
                    merge_stored_people(store, *arguments, RULES)
            elif name == "settle":
                while complete_next_merge(store, RULES, resume_erasure):
                    pass
            elif name == "erase":
                there(store, clock, arguments[0])
                erase(store, arguments[0], RULES, *arguments[1:])
                while finish_next_erasure(store, RULES, now() + dt.timedelta(minutes=5)):
                    pass
                ids = [each["_id"] for each in everything(store)]
            elif name == "read":
                first = day + dt.timedelta(days=arguments[0])
                compare(zone, first, first + dt.timedelta(days=arguments[1]), times=2)
            elif ids:
                chosen = ids[arguments[0] % len(ids)]
                if name == "delete":
                    ids.remove(chosen)
                    delete(store, OUTREACH, chosen)
                elif name == "clear":
                    put(store, OUTREACH, chosen, Change({}, (arguments[1],)), RULES)
                else:
                    later = {"action_date": timestamp(arguments[1]), **arguments[2]}
                    put(store, OUTREACH, chosen, Change(later), RULES)

    check()


class TestRollups:
    ZONE, DAY = ZoneInfo("UTC"), dt.date(2026, 11, 1)
    NOON = dt.datetime(2026, 11, 1, 12)

    @pytest.fixture
    def store(self, mongod: Any) -> Iterator[Store]:
        uri = mongod.uri.replace("/osdi?", "/rollups_contract?")
        store = Store(uri)
        store.create_indexes()
        empty(store)
        yield store
        store.close()

    def count(self, store: Store, first: int = 0, last: int = 0) -> tuple[list[int], list[int], int]:
        calendar = Calendar(self.DAY + dt.timedelta(days=first), self.DAY + dt.timedelta(days=last), self.ZONE)
        tallies, whole = reader_of(store).count(CAMPAIGN, calendar)
        return [each.outreaches for each in tallies], [each.people for each in tallies], whole.people

    def test_of_different_ages_count_each_person_once(self, store: Store, clock: Clock) -> None:
        assert self.count(store) == ([0], [0], 0)
        clock.timestamp += dt.timedelta(seconds=300)
        record(store, clock, self.NOON, "A")
        record(store, clock, self.NOON + dt.timedelta(days=1), "A")
        clock.timestamp += dt.timedelta(seconds=300)

        # The first day was counted before, the second is now; both people of the range were counted by the one.
        assert self.count(store, 0, 1) == ([1, 1], [1, 1], 1)
        assert self.count(store, 0, 0) == ([1], [1], 1)

    @pytest.mark.parametrize(("outreaches", "queries"), [(2, 2), (3, 9)], ids=["few: read once", "many"])
    def test_of_few_outreaches_take_few_queries(
        self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, outreaches: int, queries: int
    ) -> None:
        monkeypatch.setattr(rollup_store, "MAX_READ_OUTREACHES", 2)
        for _ in range(outreaches):
            record(store, clock, self.NOON, "A")
        clock.timestamp += dt.timedelta(seconds=300)
        rollup = Reading.of(CAMPAIGN, Calendar(self.DAY, self.DAY, self.ZONE)).days[0]

        with profiled(store.connect().get_default_database()) as operations:
            rollup_store.count_anew(store, rollup, id_before(clock.now()), Calendar(self.DAY, self.DAY, self.ZONE))

        assert (rollup.tally.outreaches, rollup.tally.people) == (outreaches, 1)
        assert len(operations) == queries

    def test_computed_after_a_change_are_not_recomputed(
        self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outreach = record(store, clock, self.NOON, "A", type="email")
        clock.timestamp += dt.timedelta(seconds=300)
        self.count(store)
        put(store, OUTREACH, outreach["_id"], Change({"type": "phone"}), RULES)
        counting: list[dt.datetime] = []
        anew = rollup_store.count_anew

        def count_anew(store: Store, rollup: Rollup, through: str, calendar: Calendar) -> None:
            counting.append(rollup.interval.start)
            anew(store, rollup, through, calendar)

        monkeypatch.setattr(rollup_store, "count_anew", count_anew)

        for _ in range(3):
            assert self.count(store) == ([1], [1], 1)

        assert len(counting) == 1

    def by_type(self, store: Store) -> Counter[str | None]:
        calendar = Calendar(self.DAY, self.DAY + dt.timedelta(days=2), self.ZONE)
        return reader_of(store).count(CAMPAIGN, calendar)[1].by["type"]

    def test_are_summed_once_until_one_changes(self, store: Store, clock: Clock) -> None:
        for number in range(3):
            record(store, clock, self.NOON + dt.timedelta(days=number), "ABC"[number], type="email")
        clock.timestamp += dt.timedelta(seconds=300)
        assert self.by_type(store) == {"email": 3}
        slots = store.collection("statistics")
        slots.update_many({"kind": "day"}, {"$set": {"by.type.values": ["what nobody reads"]}})
        later = record(store, clock, self.NOON, "D", type="phone")

        assert self.by_type(store) == {"email": 3, "phone": 1}

        delete(store, OUTREACH, later["_id"])

        assert self.by_type(store) == {"email": 1, "what nobody reads": 2}

    def test_with_many_values_are_not_cached(self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("osdi.statistics.range_cache.MAX_VALUES", 2)
        record(store, clock, self.NOON, "A", type="email")
        clock.timestamp += dt.timedelta(seconds=300)
        self.by_type(store)
        store.collection("statistics").update_many({"outreaches": 1}, {"$set": {"by.type.values": ["other"]}})

        assert self.by_type(store) == {"other": 1}

    @pytest.mark.parametrize("change", ["forget", "move", "erase"])
    def test_computed_right_before_a_change_are_recomputed(
        self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, change: str
    ) -> None:
        """Another reader counts after the invalidation and before the change."""
        for person in "AB":
            there(store, clock, person)
            record(store, clock, self.NOON, person)
        record(store, clock, self.NOON, "B")
        clock.timestamp += dt.timedelta(seconds=300)
        assert self.count(store) == ([3], [2], 2)
        touching = invalidation_store.invalidate_all

        def then_counted(*how: Any) -> list[str]:
            invalidated = touching(*how)
            assert self.count(store) == ([3], [2], 2)
            return invalidated

        for module in ("osdi.people.outreach_links_store", "osdi.crud.resource_rules", "osdi.people.merge"):
            monkeypatch.setattr(f"{module}.invalidate_all", then_counted)
        if change == "forget":
            delete(store, PERSON, "B")
        elif change == "move":
            merge_stored_people(store, "A", "B", RULES)
        else:
            erase(store, "B", RULES)

        for _ in range(3):
            assert self.count(store) == ([3], [1], 1)
            clock.timestamp += dt.timedelta(seconds=91)

    def test_stored_late_by_a_slow_reader_are_recomputed(
        self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outreach = record(store, clock, self.NOON, "A")
        clock.timestamp += dt.timedelta(seconds=300)
        storing = rollup_store.save

        def slowly(*how: Any) -> None:
            """Meanwhile the outreach is deleted, and another reader counts."""
            monkeypatch.setattr(rollup_store, "save", storing)
            delete(store, OUTREACH, outreach["_id"])
            assert self.count(store) == ([0], [0], 0)
            store.delete_many("statistics", {})
            storing(*how)

        monkeypatch.setattr(rollup_store, "save", slowly)
        assert self.count(store) == ([1], [1], 1)

        for _ in range(3):
            assert self.count(store) == ([0], [0], 0)
            clock.timestamp += dt.timedelta(seconds=91)
        with store.operation():
            assert store.collection("statistics_invalidations").count_documents({"advocacy_campaign_id": CAMPAIGN}) == 0

    @pytest.mark.parametrize("change", ["delete", "clear", "move to a later day", "move to an earlier day", "forget"])
    def test_of_a_later_day_are_recomputed_with_the_person(self, store: Store, clock: Clock, change: str) -> None:
        """A stored day contains on which day before a person acted."""
        first = record(store, clock, self.NOON, "A")
        record(store, clock, self.NOON + dt.timedelta(days=2), "A")
        clock.timestamp += dt.timedelta(seconds=300)
        assert self.count(store, -1, 2) == ([0, 1, 0, 1], [0, 1, 0, 1], 1)
        assert self.count(store, 1, 2) == ([0, 1], [0, 1], 1)

        if change == "delete":
            delete(store, OUTREACH, first["_id"])
        elif change == "clear":
            put(store, OUTREACH, first["_id"], Change({}, ("action_date",)), RULES)
        elif change == "forget":
            there(store, clock, "A")
            delete(store, PERSON, "A")
        else:
            days = dt.timedelta(days=1 if "later" in change else -1)
            put(store, OUTREACH, first["_id"], Change({"action_date": self.NOON + days}), RULES)

        everybody = 0 if change == "forget" else 1
        assert self.count(store, -1, 2)[2] == everybody
        assert [self.count(store, day, 2)[2] for day in (0, 1, 2)] == [everybody] * 3

    def test_of_a_survivor_are_recomputed_with_what_moved(self, store: Store, clock: Clock) -> None:
        for person, day in (("A", 0), ("B", 1), ("A", 2)):
            there(store, clock, person)
            record(store, clock, self.NOON + dt.timedelta(days=day), person)
        clock.timestamp += dt.timedelta(seconds=300)
        assert self.count(store, 0, 2)[2] == 2
        assert self.count(store, 1, 2)[2] == 2

        merge_stored_people(store, "A", "B", RULES)

        assert self.count(store, 0, 2) == ([1, 1, 1], [1, 1, 1], 1)
        assert self.count(store, 1, 2)[2] == 1

    def test_of_a_year_before_say_nothing(self, store: Store, clock: Clock) -> None:
        for days in (0, 1, MAX_DAYS, MAX_DAYS + 1):
            record(store, clock, self.NOON - dt.timedelta(days=days), "A")
        clock.timestamp += dt.timedelta(seconds=300)

        for first in (1 - MAX_DAYS, 0):
            assert self.count(store, first, 0)[2] == 1
        assert self.count(store, -MAX_DAYS, -1)[2] == 1

    def test_with_many_invalidations_are_recomputed_once(
        self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(invalidation_store, "MAX_INVALIDATIONS", 3)
        made = [record(store, clock, self.NOON, "A") for _ in range(10)]
        clock.timestamp += dt.timedelta(seconds=300)
        self.count(store)
        for outreach in made:
            put(store, OUTREACH, outreach["_id"], Change({"type": "phone"}), RULES)
        clock.timestamp += dt.timedelta(seconds=300)

        assert self.count(store) == ([10], [1], 1)

        with store.operation():
            assert store.collection("statistics_invalidations").count_documents({"advocacy_campaign_id": CAMPAIGN}) == 0
