"""The suppression list: what adds an entry, what outlives what, and what lifts an opt-out."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.followups.unsubscribe import unsubscribe
from osdi.hal import Hal
from osdi.match_keys import email_key
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase
from osdi.privacy.person_export import person_export
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.profiled import profiled
from tests.support.smtp_sink import SmtpSink
from tests.suppression.conftest import Sent, opted_out

JANE, NUMBER = "jane@example.com", "+12025550123"
OPT_OUTS = {
    "email_addresses": [{"address": JANE, "status": "unsubscribed"}],
    "phone_numbers": [{"number": NUMBER, "do_not_call": True, "sms_capable": False}],
}
OPT_INS = {
    "email_addresses": [{"address": JANE, "status": "subscribed"}],
    "phone_numbers": [{"number": NUMBER, "do_not_call": False, "sms_capable": True}],
}


def id_of(person: dict[str, Any]) -> str:
    return str(person["_links"]["self"]["href"].rsplit("/", 1)[1])


def consent_of(person: dict[str, Any]) -> tuple[Any, Any, Any]:
    number = person["phone_numbers"][0]
    return person["email_addresses"][0].get("status"), number.get("do_not_call"), number.get("sms_capable")


class TestAnEntry:
    def test_holds_hashes_and_no_address_or_number(self, api: Client, database: Database) -> None:
        api.created("/people", OPT_OUTS)

        entries = list(database.suppressions.find())

        assert len(entries) == 2
        text = json.dumps(entries, default=str)
        assert not any(each in text for each in (JANE, "jane", "2025550123"))
        assert all(len(each["_id"]) == 64 for each in entries)

    def test_shows_the_date_and_the_source(self, api: Client, database: Database) -> None:
        before = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
        person = api.created("/people", OPT_OUTS)

        shown = api.get(f"{person['_links']['self']['href']}/suppressions").json["suppressions"]

        assert [each.get("address") or each["number"] for each in shown] == [JANE, NUMBER]
        assert [set(each["refused"]) for each in shown] == [{"mail"}, {"calls", "texts"}]
        mail = shown[0]["refused"]["mail"]
        assert mail["source"] == "api"
        assert dt.datetime.fromisoformat(mail["since"]).replace(tzinfo=None) >= before

    @pytest.mark.parametrize(
        ("status", "source"), [("unsubscribed", "api"), ("bouncing", "bounce"), ("spam complaints", "complaint")]
    )
    def test_has_the_source_that_the_status_implies(
        self, status: str, source: str, api: Client, database: Database
    ) -> None:
        api.created("/people", {"email_addresses": [{"address": JANE, "status": status}]})

        assert database.suppressions.find_one()["refused"]["mail"]["source"] == source

    def test_is_not_made_by_a_post_without_a_token(self, api: Client, database: Database) -> None:
        assert api.record(factories.outreach(person=OPT_OUTS), token=False).status_code == 200

        assert database.suppressions.count_documents({}) == 0

    def test_keeps_the_first_date_and_the_strictest_status(self, api: Client, database: Database) -> None:
        for status in ("bouncing", "unsubscribed", "bouncing", "unsubscribed"):
            api.created("/people", {"email_addresses": [{"address": JANE, "status": status}]})

        entry = database.suppressions.find_one()

        assert entry["refused"]["mail"]["source"] == "api"
        assert [each["source"] for each in entry["history"]] == ["bounce", "api"]

    def test_has_a_history_of_limited_length(self, api: Client, database: Database) -> None:
        href = api.created("/people", OPT_OUTS)["_links"]["self"]["href"]
        for _ in range(15):
            for body in (OPT_INS, OPT_OUTS):
                assert api.put(href, body).status_code == 200

        assert {len(each["history"]) for each in database.suppressions.find()} == {20}


class TestAnOptOutOutlives:
    @pytest.fixture
    def jane(self, api: Client) -> dict[str, Any]:
        return api.created("/people", OPT_OUTS)

    def assert_kept(self, api: Client, store: Store, body: dict[str, Any] = OPT_INS) -> None:
        again = api.created("/people", {"person": body})
        assert consent_of(again) == ("unsubscribed", True, False)
        assert opted_out(store) == {"mail"}
        assert opted_out(store, NUMBER) == {"calls", "texts"}

    def test_a_deletion(self, api: Client, store: Store, jane: dict[str, Any]) -> None:
        assert api.delete(jane["_links"]["self"]["href"]).status_code == 200

        self.assert_kept(api, store)

    def test_an_erasure_and_the_list_has_only_hashes_then(
        self, api: Client, store: Store, database: Database, jane: dict[str, Any]
    ) -> None:
        erase(store, id_of(jane), RULES)

        assert JANE not in json.dumps(list(database.suppressions.find()), default=str)
        self.assert_kept(api, store)

    def test_a_merge(self, api: Client, store: Store, jane: dict[str, Any]) -> None:
        kim = api.created("/people", {"identifiers": ["crm:kim"], "given_name": "Kim"})
        merge_stored_people(store, id_of(kim), id_of(jane), RULES)

        self.assert_kept(api, store)

    def test_a_put_that_removes_the_address(self, api: Client, store: Store, jane: dict[str, Any]) -> None:
        href = jane["_links"]["self"]["href"]
        assert api.put(href, {"email_addresses": None, "phone_numbers": None}).status_code == 200

        self.assert_kept(api, store)

    def test_a_put_without_the_status(self, api: Client, store: Store, jane: dict[str, Any]) -> None:
        body = {"email_addresses": [{"address": JANE}], "phone_numbers": [{"number": NUMBER}]}

        changed = api.put(jane["_links"]["self"]["href"], body).json

        assert consent_of(changed) == ("unsubscribed", True, False)

    def test_a_post_of_another_person_with_the_address(self, api: Client, store: Store, jane: dict[str, Any]) -> None:
        kim = api.created("/people", {"identifiers": ["crm:kim"], "given_name": "Kim"})

        changed = api.put(kim["_links"]["self"]["href"], {"email_addresses": [{"address": JANE}]}).json

        assert changed["email_addresses"][0]["status"] == "unsubscribed"

    @pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
    def test_posts_that_say_the_opposite(
        self, token: bool, api: Client, store: Store, database: Database, jane: dict[str, Any]
    ) -> None:
        assert api.record(factories.outreach(person=OPT_INS), token=token).status_code == 200

        person = database.people.find_one()
        assert consent_of(person) == ("unsubscribed", True, False)
        assert opted_out(store) == {"mail"}

    @pytest.mark.parametrize("path", ["/people", "record"])
    def test_a_post_that_states_the_opposite_and_warns_its_sender(
        self, path: str, api: Client, jane: dict[str, Any]
    ) -> None:
        response = (
            api.recorded({"person": OPT_INS, "type": "phone"})
            if path == "record"
            else api.created(path, {"person": OPT_INS})
        )

        warnings = response["osdi_outreach:warnings"]
        assert [each.partition(":")[0] for each in warnings] == [
            "person.email_addresses", "person.phone_numbers", "person.phone_numbers",
        ]  # fmt: skip
        assert JANE not in str(warnings)


class TestAPostAboutAnotherPersonWithTheDetails:
    """Two records have the address and the number, and only one of them has the opt-outs."""

    SILENT = {"email_addresses": [{"address": JANE}], "phone_numbers": [{"number": NUMBER}]}

    @pytest.fixture
    def kim(self, api: Client) -> str:
        kim = api.created("/people", {"identifiers": ["crm:kim"], "given_name": "Kim", **self.SILENT})
        jane = api.created("/people", {"identifiers": ["crm:jane"], "given_name": "Jane"})
        assert api.put(jane["_links"]["self"]["href"], OPT_OUTS).status_code == 200
        assert consent_of(api.get(f"/people/{id_of(kim)}").json) == (None, None, None)
        return id_of(kim)

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("posted", [OPT_INS, SILENT], ids=["opt-ins", "no word"])
    @pytest.mark.parametrize("token", [True, False], ids=["with a token", "without a token"])
    @pytest.mark.parametrize("path", ["outreach", "signup", "people", "import"])
    def test_gives_the_person_the_opt_outs(
        self, app: Flask, api: Client, kim: str, tmp_path: Path, posted: dict[str, Any], token: bool, path: str
    ) -> None:
        person = {**posted, "given_name": "Kim", **({"identifiers": ["crm:kim"]} if token else {})}
        if path == "outreach":
            assert api.record(factories.outreach(person=person), token=token).status_code == 200
        elif path == "signup":
            assert api.post("/people/person_signup_helper", {"person": person}, token=token).status_code == 200
        elif path == "people" and token:
            api.created("/people", person)
        elif path == "import" and token:
            file = tmp_path / "people.ndjson"
            file.write_text(json.dumps(person))
            assert app.test_cli_runner().invoke(args=["import", "people", str(file)]).exit_code == 0

        expected = ("unsubscribed", True, False) if token or path in ("outreach", "signup") else (None, None, None)
        assert consent_of(api.get(f"/people/{kim}").json) == expected

    def test_warns_a_sender_who_states_the_opposite(self, api: Client, kim: str) -> None:
        recorded = api.recorded({"person": {"identifiers": ["crm:kim"], **OPT_INS}, "type": "phone"})

        assert len(recorded["osdi_outreach:warnings"]) == 3


class TestALiftedOptOut:
    def test_comes_from_a_put_that_states_it(self, api: Client, store: Store) -> None:
        href = api.created("/people", OPT_OUTS)["_links"]["self"]["href"]

        changed = api.put(href, OPT_INS).json

        assert consent_of(changed) == ("subscribed", False, True)
        assert opted_out(store) | opted_out(store, NUMBER) == set()
        history = api.get(f"{href}/suppressions").json["suppressions"][0]["history"]
        assert [(each["what"], each["change"]) for each in history] == [("mail", "refused"), ("mail", "lifted")]

    @pytest.mark.parametrize(
        ("stated", "remaining"),
        [
            ({"do_not_call": False}, {"texts"}),
            ({"sms_capable": True}, {"calls"}),
            ({"do_not_call": False, "sms_capable": False}, {"texts"}),
            ({"status": "subscribed"}, {"calls", "texts"}),
            ({"number_type": "Home"}, {"calls", "texts"}),
        ],
    )
    @pytest.mark.parametrize("entry", [{"number": NUMBER}, {}], ids=["with the number", "of the primary number"])
    def test_is_only_what_the_put_names(
        self, stated: dict[str, Any], remaining: set[str], entry: dict[str, str], api: Client, store: Store
    ) -> None:
        href = api.created("/people", OPT_OUTS)["_links"]["self"]["href"]

        changed = api.put(href, {"phone_numbers": [{**entry, **stated}]}).json

        assert opted_out(store, NUMBER) == remaining
        number = changed["phone_numbers"][0]
        assert (number.get("do_not_call") is True, number.get("sms_capable") is False) == (
            "calls" in remaining,
            "texts" in remaining,
        )

    def test_can_be_that_of_an_address_without_an_entry_in_the_person(self, api: Client, store: Store) -> None:
        unsubscribe(store, JANE)
        href = api.created("/people", {"email_addresses": [{"address": "other@example.com"}]})["_links"]["self"]["href"]

        changed = api.put(href, {"email_addresses": [{"address": JANE, "status": "subscribed"}]}).json

        assert changed["email_addresses"] == [{"address": JANE, "status": "subscribed"}]
        assert opted_out(store) == set()

    def test_needs_a_put_although_the_person_already_has_the_status(self, api: Client, store: Store) -> None:
        href = api.created("/people", OPT_INS)["_links"]["self"]["href"]
        suppression_list(store).change(email_key(JANE), add={"mail": "link"})

        assert api.put(href, OPT_INS).status_code == 200

        assert opted_out(store) == set()


class TestSubaddresses:
    """For follow-ups of posts without a token, all subaddresses are one mailbox."""

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("opted_out_address", "posted", "token", "stopped"),
        [
            (JANE, "jane+news@example.com", False, True),
            ("jane+news@example.com", JANE, False, True),
            ("jane+news@example.com", "Jane+Other@Example.com", False, True),
            (JANE, "jane+news@example.com", True, False),
            ("jane+news@example.com", JANE, True, False),
            (JANE, JANE, True, True),
            (JANE, "janet@example.com", False, False),
            ("+jane@example.com", "+john@example.com", False, False),
            (JANE, "jane+news@example.org", False, False),
        ],
    )
    def test_share_an_opt_out(
        self,
        opted_out_address: str,
        posted: str,
        token: bool,
        stopped: bool,
        api: Client,
        store: Store,
        request_followups: Callable[..., None],
        deliver_followups: Callable[..., None],
        sent: Sent,
    ) -> None:
        unsubscribe(store, opted_out_address)

        request_followups(posted, None, token=token)
        deliver_followups()

        assert (sent.all == set()) is stopped

    def test_do_not_share_a_bounce(
        self, store: Store, request_followups: Callable[..., None], deliver_followups: Callable[..., None], sent: Sent
    ) -> None:
        suppression_list(store).change(email_key("jane+made-up@example.com"), add={"mail": "bounce"})

        request_followups(JANE, None, token=False)
        deliver_followups()

        assert sent.all == {("autoresponse", JANE)}, "a stranger can make any subaddress bounce"

    def test_get_one_mail_of_a_campaign_within_the_interval(
        self,
        request_followups: Callable[..., None],
        deliver_followups: Callable[..., None],
        sent: Sent,
        database: Database,
    ) -> None:
        addresses = [f"jane+{number}@example.com" for number in range(5)]
        for address in addresses:
            request_followups(address, None, token=False)
        deliver_followups()

        assert len(sent.all) == 1
        states = [each["followups"][0] for each in database.outreaches.find(sort=[("_id", 1)])]
        assert [(each["state"], each.get("reason")) for each in states] == [
            ("sent", None), *[("skipped", "sent_before")] * 4,
        ]  # fmt: skip

    def test_get_a_mail_each_if_the_posts_have_a_token(
        self, request_followups: Callable[..., None], deliver_followups: Callable[..., None], sent: Sent
    ) -> None:
        for number in range(3):
            request_followups(f"jane+{number}@example.com", None, token=True)
        deliver_followups()

        assert len(sent.all) == 3

    def test_share_the_sending_limit_of_an_address(
        self, request_followups: Callable[..., None], deliver_followups: Callable[..., None], sent: Sent
    ) -> None:
        for number in range(5):
            request_followups(f"jane+{number}@example.com", None, token=False)
        deliver_followups(followup_interval_hours=0, rate_limit_mail_address="2/day")

        assert len(sent.all) == 2

    def test_get_a_mail_after_one_that_could_not_be_sent(
        self, request_followups: Callable[..., None], deliver_followups: Callable[..., None], sent: Sent, sink: SmtpSink
    ) -> None:
        sink.recipient_replies["jane+1@example.com"] = "550 5.1.1 There is no such mailbox."
        request_followups("jane+1@example.com", None, token=False)
        deliver_followups()
        request_followups("jane+2@example.com", None, token=False)
        deliver_followups()

        assert sent.all == {("autoresponse", "jane+2@example.com")}


READ_FOR_A_POST = ("people", "suppressions")


class TestCost:
    BODY = factories.outreach(person=factories.person())

    def reads(self, database: Database, request: Callable[[], Any]) -> int:
        with profiled(database) as done:
            request()
        return sum(operation.collection == "suppressions" for operation in done)

    @pytest.mark.parametrize("known", [False, True])
    def test_one_command_reads_the_list_with_the_people(self, api: Client, database: Database, known: bool) -> None:
        api.created("/people", OPT_OUTS)  # so that reading the whole list would be noticed
        api.recorded(self.BODY if known else factories.outreach())

        with profiled(database) as done:
            api.recorded(self.BODY)

        reads = [(each.collection, each.plan, each.read) for each in done if each.collection in READ_FOR_A_POST]
        assert reads == [("people", "IXSCAN { match_keys: 1 }", int(known))]

    def test_a_put_without_contact_details_is_no_read(self, api: Client, database: Database) -> None:
        href = api.created("/people", factories.person())["_links"]["self"]["href"]

        assert self.reads(database, lambda: api.put(href, {"given_name": "Kim"})) == 0


def test_an_opt_out_is_stored_in_the_transaction_of_the_person(
    api: Client, database: Database, fail: Callable[..., None]
) -> None:
    api.created("/people", factories.person())
    fail({"times": 1}, ["insert"], errorCode=13, namespace="osdi.people")

    assert api.post("/people", OPT_OUTS).status_code == 503

    assert database.suppressions.count_documents({}) == 0
    assert api.post("/people", OPT_OUTS).status_code == 200
    assert database.suppressions.count_documents({}) == 2


def test_the_export_of_a_person_has_their_opt_outs(api: Client, store: Store, database: Database) -> None:
    api.created("/people", OPT_OUTS)

    exported = person_export(store, Hal("http://osdi.example.org", "osdi"), database.people.find_one(), RULES)

    assert [set(each["refused"]) for each in exported["suppressions"]] == [{"mail"}, {"calls", "texts"}]


def test_processes_share_the_key(app: Flask, api: Client, store: Store) -> None:
    other = Store(app.extensions[EXTENSION].settings.mongodb_uri)
    try:
        unsubscribe(other, JANE)
    finally:
        other.close()

    assert opted_out(store) == {"mail"}


@pytest.mark.parametrize("order", [1, -1], ids=["the opt-out first", "the opt-out last"])
def test_of_two_entries_of_a_put_for_one_address_or_number_the_one_that_opts_out_counts(
    order: int, api: Client, store: Store
) -> None:
    href = api.created("/people", {"email_addresses": [{"address": JANE}]})["_links"]["self"]["href"]
    emails = [{"address": JANE, "status": "unsubscribed"}, {"address": JANE.upper(), "status": "subscribed"}]
    numbers = [{"number": NUMBER, "do_not_call": True}, {"number": NUMBER, "extension": "5", "do_not_call": False}]

    changed = api.put(href, {"email_addresses": emails[::order], "phone_numbers": numbers[::order]}).json

    assert {each["status"] for each in changed["email_addresses"]} == {"unsubscribed"}
    assert {each["do_not_call"] for each in changed["phone_numbers"]} == {True}
    assert (opted_out(store), opted_out(store, NUMBER)) == ({"mail"}, {"calls"})


@pytest.mark.parametrize("entry", [{"status": "unsubscribed"}, {"do_not_call": True}, {"sms_capable": False}], ids=str)
def test_an_opt_out_about_a_detail_that_nobody_knows_is_a_warning(entry: dict[str, Any], api: Client) -> None:
    array, own, other = ("phone_numbers", {"email_addresses": [{"address": JANE}]}, "number")
    if "status" in entry:
        array, own, other = ("email_addresses", {"phone_numbers": [{"number": NUMBER}]}, "address")

    response = api.created("/people", {**own, array: [entry]})

    warnings = [each for name, value in response.items() if name.endswith(":warnings") for each in value]
    assert warnings == [f"person.{array}[0]: the person has no {other} that this could be about."]
