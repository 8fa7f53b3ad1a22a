"""A ticked box: who is subscribed at once, who is asked by mail, and what the button of the mail changes."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.consent.confirmation import CONFIRMED, Confirmation
from osdi.followups.unsubscribe import mark_bouncing, unsubscribe, unwanted
from osdi.privacy.erasure import erase
from osdi.store import Store
from tests.consent.conftest import JANE, Deliver, Tick, consent
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.smtp_sink import SmtpSink

Press = Callable[[str], Confirmation]
Tokens = Callable[[], list[str]]
LongAgo = Callable[[], None]


def create_known(api: Client, status: str | None = None) -> dict[str, Any]:
    """Stores the person by a token."""
    entry = {"address": JANE, **({"status": status} if status else {})}
    return api.follow(api.recorded(factories.outreach(person={"email_addresses": [entry]})), "osdi:person")


def nobody(api: Client, store: Store) -> None:
    """Nobody has the address."""


def silent(api: Client, store: Store) -> None:
    create_known(api)


def subscribed(api: Client, store: Store) -> None:
    create_known(api, "subscribed")


def unsubscribed(api: Client, store: Store) -> None:
    create_known(api)
    unsubscribe(store, JANE)


def bouncing(api: Client, store: Store) -> None:
    create_known(api)
    mark_bouncing(store, JANE)


def complained(api: Client, store: Store) -> None:
    create_known(api, "spam complaints")


def listed_only(api: Client, store: Store) -> None:
    """The suppression list has the address, and no person does."""
    unsubscribe(store, JANE)


def erased(api: Client, store: Store) -> None:
    """The person had unsubscribed, and was erased."""
    person = create_known(api)
    unsubscribe(store, JANE)
    erase(store, person["_links"]["self"]["href"].rpartition("/")[2], RULES)


BEFORE = (nobody, silent, subscribed, unsubscribed, bouncing, complained, listed_only, erased)
OPTED_OUT = {
    unsubscribed: "unsubscribed",
    bouncing: "bouncing",
    complained: "spam complaints",
    listed_only: "unsubscribed",
    erased: "unsubscribed",
}
NEVER_ASKED = (bouncing, complained)


def case_name(before: Callable[..., None]) -> str:
    return before.__name__


def state(database: Database) -> tuple[str | None, int, int]:
    """The status of the address, and the number of list items and taggings of the person who has it."""
    (person,) = database.people.find({"email_addresses.address": JANE})
    (entry,) = (each for each in person["email_addresses"] if each["address"] == JANE)
    return entry.get("status"), len(person.get("items", ())), len(person.get("taggings", ()))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("before", BEFORE, ids=case_name)
def test_without_a_tick_nothing_is_said_about_mail(
    before: Callable[..., None],
    long_ago: LongAgo,
    api: Client,
    store: Store,
    tick: Tick,
    deliver_due: Deliver,
    sink: SmtpSink,
    database: Database,
) -> None:
    before(api, store)
    long_ago()

    outreach = tick()
    deliver_due()

    assert state(database) == (OPTED_OUT.get(before, "subscribed" if before is subscribed else None), 0, 0)
    assert sink.mails == []
    assert "consents" not in outreach


@pytest.mark.one_in(3)
@pytest.mark.parametrize("before", BEFORE, ids=case_name)
def test_a_tick_subscribes_at_once_unless_the_address_has_opted_out(
    before: Callable[..., None],
    long_ago: LongAgo,
    api: Client,
    store: Store,
    tick: Tick,
    deliver_due: Deliver,
    sink: SmtpSink,
    database: Database,
) -> None:
    before(api, store)
    long_ago()

    outreach = tick(given=consent())
    deliver_due()

    assert state(database) == ((OPTED_OUT[before], 0, 0) if before in OPTED_OUT else ("subscribed", 1, 1))
    asked = before in OPTED_OUT and before not in NEVER_ASKED
    assert [mail["To"] for mail in sink.mails] == ([JANE] if asked else [])
    assert "confirmed_date" not in outreach["consents"][0]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("before", BEFORE, ids=case_name)
def test_with_double_opt_in_a_tick_subscribes_nobody(
    before: Callable[..., None],
    long_ago: LongAgo,
    api: Client,
    store: Store,
    tick: Tick,
    deliver_due: Deliver,
    sink: SmtpSink,
    database: Database,
) -> None:
    before(api, store)
    long_ago()

    tick(given=consent(by_mail=True))
    deliver_due()

    assert state(database) == (OPTED_OUT.get(before, "subscribed" if before is subscribed else None), 0, 0)
    assert [mail["To"] for mail in sink.mails] == ([] if before in NEVER_ASKED else [JANE])


@pytest.mark.one_in(5)
@pytest.mark.parametrize("by_mail", [False, True], ids=["at once", "double opt-in"])
@pytest.mark.parametrize("before", [each for each in BEFORE if each not in NEVER_ASKED], ids=case_name)
def test_the_button_subscribes_and_adds_list_and_tag(
    before: Callable[..., None],
    by_mail: bool,
    long_ago: LongAgo,
    api: Client,
    store: Store,
    tick: Tick,
    deliver_due: Deliver,
    tokens: Tokens,
    press: Press,
    database: Database,
) -> None:
    before(api, store)
    long_ago()
    outreach = tick(given=consent(by_mail=by_mail))
    deliver_due()

    found = [press(token).state for token in tokens()]

    assert found == ([CONFIRMED] if by_mail or before in OPTED_OUT else [])
    assert state(database) == ("subscribed", 1, 1)
    assert unwanted(store, JANE, RULES) is None
    receipt = database.outreaches.find_one({"_id": outreach["_id"]})["consents"][0]
    assert ("confirmed_date" in receipt) == bool(found)


@pytest.mark.parametrize("before", NEVER_ASKED, ids=case_name)
def test_an_address_that_bounces_or_complained_gets_no_mail_and_staff_see_why(
    before: Callable[..., None], api: Client, store: Store, tick: Tick, deliver_due: Deliver, database: Database
) -> None:
    before(api, store)

    tick(given=consent())
    deliver_due()

    (followup,) = database.outreaches.find_one({"consents": {"$exists": True}})["followups"]
    assert (followup["kind"], followup["state"], followup["reason"]) == (
        "confirmation",
        "skipped",
        OPTED_OUT[before].replace(" ", "_"),
    )
