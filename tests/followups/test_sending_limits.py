"""Sending limits: the limit of all anonymous posts, and the limit of one address."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from pymongo.database import Database

from osdi.followups.limits.sending_limits import LimitReached, SendingLimits
from osdi.ids import now
from osdi.settings import Settings

KIND = "autoresponse"
Limits = Callable[[str, str], SendingLimits]
JANE = "email:jane@example.com"


@pytest.fixture
def limits_of(settings: Settings) -> Iterator[Limits]:
    """Makes SendingLimits with a limit of all and one of an address."""
    made: list[SendingLimits] = []

    def make(of_all: str, of_address: str) -> SendingLimits:
        chosen = Settings(mongodb_uri=settings.mongodb_uri, rate_limit_mail=of_all, rate_limit_mail_address=of_address)
        made.append(SendingLimits(chosen))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.usefixtures("database")
def test_a_mail_that_waits_for_the_limit_of_all_does_not_count_for_its_address(limits_of: Limits) -> None:
    narrow = limits_of("1/day", "2/day")
    assert narrow.reached(KIND, "email:other@example.com") is None

    for _ in range(3):
        reached = narrow.reached(KIND, JANE)
        assert reached is not None
        assert not reached.address
        assert reached.seconds > 0

    wide = limits_of("1000/day", "2/day")
    assert [wide.reached(KIND, JANE) for _ in range(3)] == [None, None, LimitReached(address=True)]


@pytest.mark.usefixtures("database")
def test_each_address_and_each_kind_has_its_own_limit(limits_of: Limits) -> None:
    limits = limits_of("1000/day", "1/day")

    assert limits.reached(KIND, JANE) is None
    assert limits.reached(KIND, JANE) == LimitReached(address=True)
    assert limits.reached("sms_response", JANE) is None
    assert limits.reached(KIND, "email:john@example.com") is None


def test_no_address_is_stored(limits_of: Limits, database: Database) -> None:
    assert limits_of("10/hour", "2/day").reached(KIND, JANE) is None

    counters = list(database.rate_limits.find({"count": {"$gte": 1}}))
    assert len(counters) == 2
    assert "jane" not in str(counters)


@pytest.mark.usefixtures("database")
def test_followups_that_are_counted_ahead_get_what_the_limits_leave(limits_of: Limits) -> None:
    limits = limits_of("4/day", "2/day")
    assert limits.reached(KIND, JANE) is None

    counted = limits.count_ahead(KIND, [JANE, JANE, "email:john@example.com", "email:late@example.com"])

    assert counted == [True, False, True, False], "one more to Jane, and three in all of which one is given back"
    assert limits.reached(KIND, "email:late@example.com") is None
    assert limits.reached(KIND, "email:later@example.com") is not None


@pytest.mark.usefixtures("database")
def test_what_is_given_back_can_be_sent_again(limits_of: Limits) -> None:
    limits = limits_of("2/day", "2/day")
    assert limits.count_ahead(KIND, [JANE, JANE]) == [True, True]

    limits.give_back(KIND, [JANE, JANE])

    assert limits.count_ahead(KIND, [JANE, JANE, JANE]) == [True, True, False]


def test_a_window_that_has_ended_gets_nothing_back(limits_of: Limits, database: Database) -> None:
    limits = limits_of("2/hour", "2/hour")
    assert limits.count_ahead(KIND, [JANE, JANE]) == [True, True]
    ended = now() - dt.timedelta(minutes=1)
    database.rate_limits.update_many({"count": {"$exists": True}}, {"$set": {"expireAt": ended}})

    limits.give_back(KIND, [JANE])

    assert limits.count_ahead(KIND, [JANE, JANE, JANE]) == [True, True, False]
