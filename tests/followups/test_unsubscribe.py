"""A mail's link to unsubscribe: it really does, for its own address alone, and no post takes it back."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.followups.unsubscribe import link, mark_bouncing, signer, unwanted
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES

JANE, JOHN = "jane@example.com", "john@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path(store: Store, address: str = JANE) -> str:
    return link(signer(store), "", address)


def status_of(database: Database, address: str) -> list[Any]:
    """The statuses of the address, of everybody who has it."""
    people = database.people.find({"email_addresses.address": address})
    return [each.get("status") for person in people for each in person["email_addresses"] if each["address"] == address]


@pytest.fixture
def jane(api: Client) -> dict[str, Any]:
    """Somebody with two addresses, both subscribed."""
    contacts = [{"address": JANE, "status": "subscribed"}, {"address": "work@example.com", "status": "subscribed"}]
    recorded = api.recorded(factories.outreach(person={"email_addresses": contacts}))
    api.recorded(factories.by_email(JOHN))
    return api.follow(recorded, "osdi:person")


@pytest.mark.usefixtures("jane")
class TestTheLink:
    def test_shows_a_confirmation_page(self, api: Client, store: Store, database: Database) -> None:
        response = api.http.get(path(store))

        assert response.status_code == 200
        assert JANE in response.text
        assert '<form method="post">' in response.text
        assert status_of(database, JANE) == ["subscribed"], "programs that look for viruses follow every link"

    def test_unsubscribes_by_one_click(self, api: Client, store: Store, database: Database) -> None:
        response = api.http.post(path(store), data=ONE_CLICK)

        assert response.status_code == 200
        assert "unsubscribed" in response.text
        assert status_of(database, JANE) == ["unsubscribed"]
        assert unwanted(store, JANE, RULES) == "unsubscribed"

    def test_changes_no_other_address(self, api: Client, store: Store, database: Database) -> None:
        api.http.post(path(store), data=ONE_CLICK)

        assert status_of(database, "work@example.com") == ["subscribed"]
        assert status_of(database, JOHN) == [None]
        assert unwanted(store, JOHN, RULES) is None

    def test_can_be_used_again(self, api: Client, store: Store, database: Database) -> None:
        api.http.post(path(store), data=ONE_CLICK)
        before = list(database.people.find())

        assert api.http.post(path(store), data=ONE_CLICK).status_code == 200
        assert list(database.people.find()) == before

    def test_keeps_the_status_of_a_spam_complaint(self, api: Client, store: Store, database: Database) -> None:
        database.people.update_one(
            {"email_addresses.address": JANE}, {"$set": {"email_addresses.$.status": "spam complaints"}}
        )

        assert api.http.post(path(store), data=ONE_CLICK).status_code == 200

        assert status_of(database, JANE) == ["spam complaints"]

    def test_is_the_same_in_every_mail(self, store: Store) -> None:
        assert path(store) == path(store)

    def test_does_not_leak_to_other_sites(self, api: Client, store: Store) -> None:
        response = api.http.get(path(store))

        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert "form-action 'self'" in response.headers["Content-Security-Policy"]
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in response.headers

    def test_works_for_another_spelling_of_the_address(self, api: Client, store: Store, database: Database) -> None:
        api.http.post(path(store, "JANE@Example.com"), data=ONE_CLICK)

        assert status_of(database, JANE) == ["unsubscribed"]

    def test_of_a_deleted_person_gets_the_same_response(self, api: Client, store: Store) -> None:
        assert api.http.post(path(store, "gone@example.com"), data=ONE_CLICK).status_code == 200

    def test_increments_the_persons_version(self, api: Client, store: Store, jane: dict[str, Any]) -> None:
        before = api.get(jane["_links"]["self"]["href"]).headers["ETag"]

        api.http.post(path(store), data=ONE_CLICK)

        assert api.get(jane["_links"]["self"]["href"]).headers["ETag"] != before


def forged(token: str) -> list[str]:
    """Returns forged tokens that are made from a valid one."""
    payload, _, signature = token.rpartition(".")
    other = "ImpvaG5AZXhhbXBsZS5jb20i"  # "john@example.com"
    return [
        *(payload, f"{payload}.", f".{signature}", signature, f"{other}.{signature}", f"{token}x", token[:-1]),
        *(f"{payload}.{signature[::-1]}", f"{payload}..{signature}", "x" * 5_000, "x", "%00", ".", "a.b"),
        *(f"{payload}.{signature.swapcase()}", f".{payload}.{signature}", "😀.x", "ImEi.AAAA"),
    ]


def test_a_link_cannot_be_forged(api: Client, store: Store, database: Database, jane: dict[str, Any]) -> None:
    root, _, token = path(store).rpartition("/")
    before = list(database.people.find())

    for wrong in forged(token):
        for method in ("GET", "POST"):
            response = api.http.open(f"{root}/{wrong}", method=method)
            assert response.status_code == 404, wrong
            assert JANE not in response.text
    assert list(database.people.find()) == before


class TestUnsubscribedPerson:
    @pytest.fixture(autouse=True)
    def _unsubscribed(self, api: Client, store: Store, jane: dict[str, Any]) -> None:
        api.http.post(path(store), data=ONE_CLICK)

    @pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
    @pytest.mark.parametrize("status", [{}, {"status": "subscribed"}], ids=["no status", "subscribed"])
    def test_stays_unsubscribed_after_a_post(
        self, api: Client, database: Database, token: bool, status: dict[str, str]
    ) -> None:
        api.record(factories.outreach(person={"email_addresses": [{"address": JANE, **status}]}), token=token)
        api.post("/people/person_signup_helper", {"person": {"email_addresses": [{"address": JANE, **status}]}})

        assert status_of(database, JANE) == ["unsubscribed"]

    def test_stays_unsubscribed_after_a_put_without_a_status(
        self, api: Client, database: Database, jane: dict[str, Any]
    ) -> None:
        api.put(jane["_links"]["self"]["href"], {"email_addresses": [{"address": JANE.upper()}]})

        assert status_of(database, JANE.upper()) == ["unsubscribed"]

    def test_is_subscribed_again_by_a_put_with_that_status(
        self, api: Client, store: Store, database: Database, jane: dict[str, Any]
    ) -> None:
        api.put(jane["_links"]["self"]["href"], {"email_addresses": [{"address": JANE, "status": "subscribed"}]})

        assert status_of(database, JANE) == ["subscribed"]
        assert unwanted(store, JANE, RULES) is None

    def test_stays_unsubscribed_if_another_person_has_the_address(self, api: Client, store: Store) -> None:
        api.recorded(factories.outreach(person={"identifiers": ["crm:2"], "email_addresses": [{"address": JANE}]}))
        other = factories.outreach(
            person={"identifiers": ["crm:3"], "phone_numbers": [{"number": "12025550123"}], "given_name": "Kim"}
        )
        kim = api.recorded(other)["_links"]["osdi:person"]["href"]
        api.put(kim, {"email_addresses": [{"address": JANE, "status": "subscribed"}]})

        assert unwanted(store, JANE, RULES) == "unsubscribed"

    def test_does_not_become_bouncing(self, store: Store, database: Database) -> None:
        mark_bouncing(store, JANE)

        assert status_of(database, JANE) == ["unsubscribed"]


def test_everybody_who_has_the_address_is_unsubscribed(api: Client, store: Store, database: Database) -> None:
    api.recorded(factories.outreach(person={"email_addresses": [{"address": JANE}]}))
    kim = api.recorded(factories.outreach(person={"phone_numbers": [{"number": "12025550123"}]}))
    api.put(kim["_links"]["osdi:person"]["href"], {"email_addresses": [{"address": JANE}]})

    api.http.post(path(store), data=ONE_CLICK)

    assert status_of(database, JANE) == ["unsubscribed", "unsubscribed"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("bouncing", "bouncing"), ("spam complaints", "spam_complaints"), ("subscribed", None), (None, None)],
)
def test_a_status_allows_or_stops_mail(api: Client, store: Store, status: str | None, reason: str | None) -> None:
    entry = {"address": JANE, **({"status": status} if status else {})}
    api.recorded(factories.outreach(person={"email_addresses": [entry]}))

    assert unwanted(store, JANE, RULES) == reason


def test_a_permanently_rejected_address_is_bouncing(api: Client, store: Store, database: Database) -> None:
    api.recorded(factories.by_email(JANE))

    mark_bouncing(store, JANE)

    assert status_of(database, JANE) == ["bouncing"]
