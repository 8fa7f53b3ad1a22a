"""The mail that asks to confirm a consent, and its link: who gets it, what it says, and what has changed meanwhile."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.consent.confirmation import (
    ASKED,
    CONFIRMED,
    EXPIRED,
    GONE,
    INVALID,
    WITHDRAWN,
    Confirmation,
    read_confirmation,
)
from osdi.followups.delivery import Followups
from osdi.followups.unsubscribe import signer, unsubscribe, unwanted
from osdi.outreaches.consent_receipt import GivenConsent
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase
from osdi.store import Store
from tests.consent.conftest import JANE, TEXT, Deliver, Tick, consent
from tests.support import factories
from tests.support.client import Client
from tests.support.clocks import shift_clock
from tests.support.factories import RULES
from tests.support.smtp_sink import SmtpSink

DAY = 24 * 60 * 60
Press = Callable[[str], Confirmation]
Tokens = Callable[[], list[str]]


@pytest.fixture
def token(tick: Tick, deliver_due: Deliver, tokens: Tokens) -> str:
    """The token of the mail to somebody new who has ticked the box."""
    tick(given=consent(by_mail=True))
    deliver_due()
    (found,) = tokens()
    return found


def status_of(database: Database, address: str = JANE) -> list[Any]:
    people = database.people.find({"email_addresses.address": address}, sort=[("_id", 1)])
    return [each.get("status") for person in people for each in person["email_addresses"] if each["address"] == address]


class TestTheMail:
    def test_says_what_was_asked_and_nothing_of_the_person(self, token: str, sink: SmtpSink) -> None:
        (mail,) = sink.mails
        for kind in ("plain", "html"):
            text = mail.get_body((kind,)).get_content()
            assert TEXT in text
            assert token in text
            assert "The River" in text
            assert "ignore this mail" in text
            assert "Mallory" not in text
        assert "Mallory" not in mail.as_string()
        assert mail["To"] == JANE

    def test_has_the_words_of_the_page_without_their_markup(
        self, tick: Tick, deliver_due: Deliver, sink: SmtpSink
    ) -> None:
        words = "Write to <b>me</b> & 'us'"
        tick(given=GivenConsent(words, "en", "https://osdi.example.org/act/river", by_mail=True))
        deliver_due()

        (mail,) = sink.mails
        assert "&lt;b&gt;me&lt;/b&gt; &amp;" in mail.get_body(("html",)).get_content()
        assert words in mail.get_body(("plain",)).get_content()

    @pytest.mark.parametrize(
        ("language", "lang", "subject"),
        [
            ("de", "de", "Bitte bestätigen Sie Ihre E-Mail-Adresse für The River"),
            ("en", "en", "Please confirm your e-mail address for The River"),
            ("xx", "en", "Please confirm your e-mail address for The River"),
        ],
    )
    def test_has_the_language_of_the_page(
        self, language: str, lang: str, subject: str, tick: Tick, deliver_due: Deliver, sink: SmtpSink
    ) -> None:
        tick(given=GivenConsent(TEXT, language, "https://osdi.example.org/act/river", by_mail=True))
        deliver_due()

        (mail,) = sink.mails
        assert mail["Subject"] == subject
        assert f'<div lang="{lang}" dir="ltr">' in mail.get_body(("html",)).get_content()

    def test_goes_to_a_mailbox_once_in_an_interval(
        self, token: str, tick: Tick, deliver_due: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        for address in (JANE, "jane+1@example.com", "JANE@example.com"):
            tick(address, given=consent(by_mail=True))
            deliver_due()

        assert len(sink.mails) == 1
        reasons = [each["followups"][0].get("reason") for each in database.outreaches.find({}, sort=[("_id", 1)])]
        assert reasons == [None, *["sent_before"] * 3]

    def test_goes_to_a_mailbox_that_has_unsubscribed_once_in_thirty_days_for_all_campaigns(
        self,
        api: Client,
        store: Store,
        tick: Tick,
        deliver_due: Deliver,
        sink: SmtpSink,
        long_ago: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        unsubscribe(store, JANE)
        long_ago()
        for days in (0, 2, 29, 31):
            forward = shift_clock(monkeypatch, days * DAY)
            another = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"]
            api.campaign_id = another.rpartition("/")[2]
            tick(given=consent())
            deliver_due()
            forward()

        assert len(sink.mails) == 2

    @pytest.mark.parametrize("worker", ["5/day"], indirect=True)
    def test_of_many_campaigns_counts_for_the_sending_limit_of_the_address(
        self, api: Client, tick: Tick, deliver_due: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        for number in range(8):
            another = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"]
            api.campaign_id = another.rpartition("/")[2]
            tick(f"jane+{number}@example.com", given=consent(by_mail=True))
        deliver_due()

        assert len(sink.mails) == 5
        reasons = [each["followups"][0].get("reason") for each in database.outreaches.find()]
        assert reasons.count("too_many_to_address") == 3

    def test_is_not_sent_to_somebody_who_has_nothing_to_confirm(
        self, token: str, press: Press, tick: Tick, deliver_due: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        press(token)

        tick(given=consent(by_mail=True))
        deliver_due()

        assert len(sink.mails) == 1
        latest = database.outreaches.find_one({}, sort=[("_id", -1)])
        assert latest["followups"][0]["reason"] == "subscribed"

    def test_is_not_sent_after_the_reader_has_unsubscribed(
        self, tick: Tick, deliver_due: Deliver, store: Store, sink: SmtpSink
    ) -> None:
        tick(given=consent(by_mail=True))
        unsubscribe(store, JANE)
        deliver_due()

        assert sink.mails == []

    @pytest.mark.parametrize("address", [None, ""], ids=["no address", "an empty one"])
    def test_needs_an_address_and_the_outreach_is_recorded_without(
        self, address: str | None, tick: Tick, deliver_due: Deliver, sink: SmtpSink
    ) -> None:
        outreach = tick(address, given=consent(by_mail=True))
        deliver_due()

        assert sink.mails == []
        assert "consents" not in outreach
        assert [each["property"] for each in outreach["warnings"]] == ["consent"]

    def test_survives_the_death_of_a_worker(
        self,
        tick: Tick,
        worker: Followups,
        deliver_due: Deliver,
        sink: SmtpSink,
        database: Database,
        tokens: Tokens,
        press: Press,
    ) -> None:
        tick(given=consent(by_mail=True))
        worker.do_next()
        # As if the worker had died after it sent the mail, and before it stored that.
        lost = {"state": "leased", "lease": "lost", "not_before": dt.datetime(2026, 1, 1), "to": JANE}
        database.outreaches.update_one({}, {"$set": {f"followups.0.{name}": value for name, value in lost.items()}})
        worker._batch._looked_for_lost = float("-inf")
        deliver_due()

        assert len(set(sink.message_ids)) == 1, "a repeated mail has the same Message-ID"
        assert [press(each).state for each in tokens()] == [CONFIRMED, CONFIRMED]
        (person,) = database.people.find()
        assert len(person["items"]) == 1


class TestTheLink:
    def test_changes_nothing_when_a_mail_scanner_reads_it(self, token: str, store: Store, database: Database) -> None:
        before = list(database.people.find()), list(database.outreaches.find())

        for _ in range(10):
            assert read_confirmation(store, token, RULES).state == ASKED

        assert (list(database.people.find()), list(database.outreaches.find())) == before

    def test_can_be_used_twice(self, token: str, press: Press, database: Database) -> None:
        assert press(token).state == CONFIRMED
        before = list(database.people.find()), list(database.outreaches.find())

        assert press(token).state == CONFIRMED
        assert (list(database.people.find()), list(database.outreaches.find())) == before

    @pytest.mark.parametrize(("days", "state"), [(6.9, CONFIRMED), (7.1, EXPIRED)])
    def test_is_valid_for_seven_days(
        self, days: float, state: str, token: str, press: Press, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shift_clock(monkeypatch, days * DAY)

        assert press(token).state == state
        assert status_of(database) == ["subscribed" if state == CONFIRMED else None]

    @pytest.mark.parametrize("pressed", [False, True], ids=["before it is used", "after it was used"])
    def test_does_not_undo_a_later_opt_out(
        self, pressed: bool, token: str, press: Press, store: Store, database: Database
    ) -> None:
        if pressed:
            press(token)
        unsubscribe(store, JANE)

        assert press(token).state == WITHDRAWN
        assert status_of(database) == ["unsubscribed"]
        assert unwanted(store, JANE, RULES) == "unsubscribed"

    def test_does_not_undo_an_opt_out_that_its_reader_has_repeated(
        self,
        tick: Tick,
        deliver_due: Deliver,
        tokens: Tokens,
        press: Press,
        store: Store,
        database: Database,
        long_ago: Callable[[], None],
    ) -> None:
        unsubscribe(store, JANE)
        long_ago()
        tick(given=consent())
        deliver_due()
        unsubscribe(store, JANE)

        assert [press(each).state for each in tokens()] == [WITHDRAWN]
        assert status_of(database) == ["unsubscribed"]
        entry = database.suppressions.find_one()
        assert entry["refused"]["mail"]["since"] == dt.datetime(2026, 1, 1)
        assert len(entry["history"]) == 1

    def test_does_not_undo_a_spam_complaint(self, api: Client, token: str, press: Press, database: Database) -> None:
        person = database.people.find_one()
        api.put(f"/people/{person['_id']}", {"email_addresses": [{"address": JANE, "status": "spam complaints"}]})

        assert press(token).state == WITHDRAWN
        assert status_of(database) == ["spam complaints"]

    def test_of_a_merged_person_subscribes_the_survivor(
        self, api: Client, token: str, press: Press, store: Store, database: Database
    ) -> None:
        gone = database.people.find_one()["_id"]
        survivor = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"].rpartition("/")[2]
        merge_stored_people(store, survivor, gone, RULES)

        assert press(token).state == CONFIRMED
        assert status_of(database) == ["subscribed"]
        assert len(database.people.find_one({"_id": survivor})["items"]) == 1

    @pytest.mark.parametrize("how", ["deleted", "erased", "erased, outreach kept", "outreach deleted", "address"])
    def test_says_that_nothing_is_stored_any_more(
        self, how: str, api: Client, token: str, press: Press, store: Store, database: Database
    ) -> None:
        person_id, outreach_id = database.people.find_one()["_id"], database.outreaches.find_one()["_id"]
        if how == "deleted":
            api.delete(f"/people/{person_id}")
        elif how == "outreach deleted":
            api.delete(f"/advocacy_campaigns/{api.campaign_id}/outreaches/{outreach_id}")
        elif how == "address":
            api.put(f"/people/{person_id}", {"email_addresses": [{"address": "new@example.com"}]})
        else:
            erase(store, person_id, RULES, "keep" if "kept" in how else "anonymise")

        assert press(token).state == GONE
        assert "subscribed" not in status_of(database)

    def test_of_somebody_who_was_erased_and_came_back_subscribes_nobody(
        self, token: str, press: Press, store: Store, tick: Tick, database: Database
    ) -> None:
        erase(store, database.people.find_one()["_id"], RULES)
        tick()

        assert press(token).state == GONE
        assert status_of(database) == [None]

    @pytest.mark.parametrize("wrong", ["", "x", "a.b.c", "x" * 5_000, "%00", "😀.x.y"])
    def test_cannot_be_forged(self, wrong: str, store: Store) -> None:
        assert read_confirmation(store, wrong, RULES).state == INVALID

    def test_of_an_unsubscribe_mail_confirms_nothing(self, token: str, store: Store) -> None:
        assert read_confirmation(store, signer(store).dumps(JANE), RULES).state == INVALID

    def test_does_not_confirm_that_the_address_is_the_persons(
        self, token: str, press: Press, database: Database
    ) -> None:
        before = database.people.find_one()

        press(token)

        after = database.people.find_one()
        assert after.get("confirmed_keys") == before.get("confirmed_keys")
        assert after["anonymous_only"] is True
        assert "unconfirmed_statuses" not in after

    def test_reports_a_list_that_does_not_exist_any_more(
        self, api: Client, token: str, press: Press, database: Database
    ) -> None:
        list_id = database.lists.find_one()["_id"]
        assert api.delete(f"/lists/{list_id}").status_code == 200

        assert press(token).state == CONFIRMED
        assert status_of(database) == ["subscribed"]
        assert database.outreaches.find_one()["warnings"] == [
            {"property": "consent", "reason": "there is no such list."}
        ]


class TestTwoPeopleWhoShareAMailbox:
    @pytest.fixture
    def kim(self, api: Client) -> str:
        """Somebody else with the same address, who owns another one."""
        recorded = api.recorded(factories.outreach(person={"email_addresses": [{"address": "kim@example.com"}]}))
        href: str = recorded["_links"]["osdi:person"]["href"]
        return href

    def test_only_the_one_who_ticked_is_subscribed(
        self, kim: str, api: Client, tick: Tick, deliver_due: Deliver, tokens: Tokens, press: Press, database: Database
    ) -> None:
        tick(given=consent(by_mail=True))
        api.put(kim, {"email_addresses": [{"address": "kim@example.com"}, {"address": JANE}]})
        deliver_due()

        assert [press(each).state for each in tokens()] == [CONFIRMED]
        jane = database.people.find_one({"given_name": "Mallory"})
        other = database.people.find_one({"email_addresses.address": "kim@example.com"})
        assert [each.get("status") for each in jane["email_addresses"]] == ["subscribed"]
        assert [each.get("status") for each in other["email_addresses"]] == [None, None]
        assert "items" not in other

    def test_an_opt_out_of_the_mailbox_ends_for_both_but_the_other_is_not_subscribed(
        self,
        kim: str,
        api: Client,
        store: Store,
        tick: Tick,
        deliver_due: Deliver,
        tokens: Tokens,
        press: Press,
        database: Database,
        long_ago: Callable[[], None],
    ) -> None:
        tick()
        api.put(kim, {"email_addresses": [{"address": "kim@example.com"}, {"address": JANE}]})
        unsubscribe(store, JANE)
        long_ago()
        tick(given=consent())
        deliver_due()

        assert [press(each).state for each in tokens()] == [CONFIRMED]
        assert sorted(status_of(database), key=str) == [None, "subscribed"]
        assert unwanted(store, JANE, RULES) is None


def test_a_crash_between_writes_lets_no_mail_pass(
    store: Store,
    tick: Tick,
    deliver_due: Deliver,
    tokens: Tokens,
    press: Press,
    database: Database,
    long_ago: Callable[[], None],
) -> None:
    unsubscribe(store, JANE)
    long_ago()
    tick(given=consent())
    deliver_due()
    # As if a process had ended after the first write, on a server without transactions.
    database.people.update_one({}, {"$set": {"email_addresses.0.status": "subscribed"}, "$inc": {"version": 1}})
    assert unwanted(store, JANE, RULES) == "unsubscribed"

    assert [press(each).state for each in tokens()] == [CONFIRMED]
    assert unwanted(store, JANE, RULES) is None
