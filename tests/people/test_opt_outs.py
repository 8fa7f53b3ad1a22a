"""Opt-outs in posts without a token: they do not change a known person, are kept as claims, and yield to a token."""

from typing import Any

import pytest
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.access.tokens import IMPORTER
from osdi.followups.recipients import unwanted_number
from osdi.followups.unsubscribe import mark_bouncing, unsubscribe, unwanted
from osdi.people.lookup import find_people_by_contact
from osdi.people.opt_outs import claimed_opt_outs, without_opt_outs
from osdi.people.signup import sign_up
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES

JANE = "jane@example.com"
NUMBER = "+12025550123"
SIGNUP = "/people/person_signup_helper"

# Opt-outs that a post can contain, by array; token holders read the same entry as the claim.
OPT_OUTS: list[tuple[str, dict[str, Any]]] = [
    *(
        ("email_addresses", {"address": JANE, "status": each})
        for each in ("unsubscribed", "bouncing", "spam complaints")
    ),
    ("phone_numbers", {"number": NUMBER, "do_not_call": True}),
    ("phone_numbers", {"number": NUMBER, "sms_capable": False}),
    ("phone_numbers", {"number": NUMBER, "do_not_call": True, "sms_capable": False}),
    # Of details that the person does not have yet.
    ("email_addresses", {"address": "new@example.com", "status": "unsubscribed"}),
    ("phone_numbers", {"number": "+12025550199", "do_not_call": True, "sms_capable": False}),
    # Of the primary address or number.
    ("email_addresses", {"status": "unsubscribed"}),
    ("phone_numbers", {"do_not_call": True}),
]
KNOWN = {"email_addresses": [{"address": JANE}], "phone_numbers": [{"number": NUMBER}]}
STATUSES = ("status", "do_not_call", "sms_capable")


def statuses(person: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns every status of the person's addresses and numbers."""
    entries = (*person.get("email_addresses", ()), *person.get("phone_numbers", ()))
    return [{name: each[name] for name in STATUSES if name in each} for each in entries]


def about_jane(array: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Returns a posted person who matches Jane by her address, with this entry."""
    others = [] if entry.get("address") == JANE else [{"address": JANE}]
    if array == "email_addresses":
        return {"email_addresses": [*others, entry]}
    return {"email_addresses": others, "phone_numbers": [entry]}


def send(api: Client, helper: str, person: dict[str, Any], *, token: bool = False) -> None:
    if helper == "outreach":
        assert api.record(factories.outreach(person=person), token=token).status_code == 200
    else:
        assert api.post(SIGNUP, {"person": person}, token=token).status_code == 200


def importing(api: Client, person: dict[str, Any]) -> None:
    deployed = api.http.application.extensions[EXTENSION]
    sign_up(deployed.store, deployed.reference.find, {"person": person}, IMPORTER, deployed.settings)


@pytest.mark.parametrize("helper", ["outreach", "signup"])
@pytest.mark.parametrize(("array", "entry"), OPT_OUTS)
class TestAKnownPerson:
    @pytest.mark.one_in(3)
    def test_keeps_their_statuses_and_the_claim_is_stored(
        self, api: Client, database: Database, array: str, entry: dict[str, Any], helper: str
    ) -> None:
        link = api.created("/people", KNOWN)["_links"]["self"]["href"]

        send(api, helper, about_jane(array, entry))

        person = api.get(link).json
        assert statuses(person) == [{}] * len(statuses(person))
        assert database.people.count_documents({}) == 1
        shown = person if helper == "signup" else api.get(f"{link}/outreaches").json["_embedded"]["osdi:outreaches"][0]
        assert shown["osdi_outreach:claimed_opt_outs"] == [entry]

    @pytest.mark.one_in(3)
    def test_is_changed_with_a_token(
        self, api: Client, database: Database, array: str, entry: dict[str, Any], helper: str
    ) -> None:
        link = api.created("/people", KNOWN)["_links"]["self"]["href"]

        send(api, helper, about_jane(array, entry), token=True)

        stated = {name: entry[name] for name in STATUSES if name in entry}
        assert stated in statuses(api.get(link).json)
        assert not any("claimed_opt_outs" in each for each in (*database.outreaches.find(), *database.people.find()))


@pytest.mark.parametrize("helper", ["outreach", "signup"])
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"address": JANE, "status": "subscribed"}, [{"status": "subscribed"}, {}]),
        ({"number": NUMBER, "sms_capable": True}, [{}, {"sms_capable": True}]),
        ({"number": NUMBER, "do_not_call": False}, [{}, {}]),
    ],
)
def test_what_permits_contact_fills_an_empty_status(
    api: Client, entry: dict[str, Any], expected: list[dict[str, Any]], helper: str
) -> None:
    link = api.created("/people", KNOWN)["_links"]["self"]["href"]
    array = "email_addresses" if "address" in entry else "phone_numbers"

    send(api, helper, about_jane(array, entry))

    person = api.get(link).json
    assert statuses(person) == expected
    assert "osdi_outreach:claimed_opt_outs" not in person


def test_a_claim_that_is_signed_up_twice_is_stored_once(api: Client, database: Database) -> None:
    api.created("/people", KNOWN)
    for _ in range(2):
        send(api, "signup", about_jane(*OPT_OUTS[0]))

    assert database.people.find_one()["claimed_opt_outs"] == [OPT_OUTS[0][1]]


@pytest.mark.parametrize("helper", ["outreach", "signup"])
@pytest.mark.parametrize(
    ("person", "permitted"),
    [
        ({"email_addresses": [OPT_OUTS[0][1]]}, {"email_addresses": [{"address": JANE, "status": "subscribed"}]}),
        ({"email_addresses": [OPT_OUTS[2][1]]}, {"email_addresses": [{"address": JANE, "status": "subscribed"}]}),
        ({"phone_numbers": [OPT_OUTS[3][1]]}, {"phone_numbers": [{"number": NUMBER, "do_not_call": False}]}),
        ({"phone_numbers": [OPT_OUTS[4][1]]}, {"phone_numbers": [{"number": NUMBER, "sms_capable": True}]}),
    ],
)
class TestANewPerson:
    """The opt-out is stored and respected, until a token holder states the opposite. One with a token stays strict."""

    def reason(self, store: Store, person: dict[str, Any]) -> str | None:
        """Returns why the address or number gets nothing."""
        if "email_addresses" in person:
            return unwanted(store, JANE, RULES)
        kind = "call_response" if "do_not_call" in person["phone_numbers"][0] else "sms_response"
        people = find_people_by_contact(store, f"phone:{NUMBER[1:]}")
        return unwanted_number(kind, f"phone:{NUMBER[1:]}", people, RULES)

    @pytest.mark.one_in(5)
    @pytest.mark.parametrize("later", ["nothing", "a post without statuses", "a post without a token"])
    def test_is_not_contacted(
        self, api: Client, store: Store, helper: str, person: dict[str, Any], permitted: dict[str, Any], later: str
    ) -> None:
        send(api, helper, person)
        bare = {
            array: [{k: v for k, v in each.items() if k not in STATUSES} for each in entries]
            for array, entries in person.items()
        }
        if later == "a post without statuses":
            api.recorded(factories.outreach(person=bare))
            importing(api, bare)
        elif later == "a post without a token":
            send(api, helper, permitted)

        assert self.reason(store, person)

    @pytest.mark.one_in(5)
    @pytest.mark.parametrize("how", ["post", "import", "put"])
    def test_is_contacted_after_a_token_holder_permits_it(
        self,
        api: Client,
        store: Store,
        database: Database,
        helper: str,
        person: dict[str, Any],
        permitted: dict[str, Any],
        how: str,
    ) -> None:
        send(api, helper, person)
        stored = database.people.find_one()

        if how == "post":
            api.recorded(factories.outreach(person=permitted))
        elif how == "import":
            importing(api, permitted)
        else:
            assert api.put(f"/people/{stored['_id']}", permitted).status_code == 200

        assert self.reason(store, person) is None
        changed = database.people.find_one()
        assert changed["_id"] == stored["_id"]
        assert not changed.get("unconfirmed_statuses")

    def test_is_contacted_if_another_record_has_the_permission(
        self, api: Client, store: Store, helper: str, person: dict[str, Any], permitted: dict[str, Any]
    ) -> None:
        """A stranger gives the detail of another person beside their own address, before a list is imported."""
        mallory = {
            "email_addresses": [{"address": "mallory@example.com", "primary": True}, *person.get("email_addresses", ())]
        }
        send(api, helper, person | mallory)
        assert self.reason(store, person)

        importing(api, {**permitted, "identifiers": ["crm:1"]})

        assert self.reason(store, person) is None

    def test_stays_opted_out_if_a_token_holder_posted_the_opt_out(
        self,
        api: Client,
        store: Store,
        database: Database,
        helper: str,
        person: dict[str, Any],
        permitted: dict[str, Any],
    ) -> None:
        """The post with a token confirms the opt-out. An import that permits contact does not lift it then."""
        send(api, helper, person)
        api.recorded(factories.outreach(person=person))
        assert not database.people.find_one().get("unconfirmed_statuses")

        importing(api, permitted)

        assert self.reason(store, person)


def test_the_unsubscribe_link_makes_a_claimed_opt_out_certain(api: Client, store: Store, database: Database) -> None:
    send(api, "outreach", {"email_addresses": [{"address": JANE, "status": "unsubscribed"}]})

    unsubscribe(store, JANE)

    assert "unconfirmed_statuses" not in database.people.find_one()
    api.recorded(factories.by_email(JANE, email_addresses=[{"address": JANE, "status": "subscribed"}]))
    assert unwanted(store, JANE, RULES) == "unsubscribed"


def test_a_bounce_replaces_a_claimed_opt_out(api: Client, store: Store) -> None:
    send(api, "outreach", {"email_addresses": [{"address": JANE, "status": "unsubscribed"}]})

    mark_bouncing(store, JANE)

    api.recorded(factories.by_email(JANE, email_addresses=[{"address": JANE, "status": "subscribed"}]))
    assert unwanted(store, JANE, RULES) == "bouncing"


@pytest.mark.parametrize(
    ("survivor", "other", "expected"),
    [
        # (status, by token) of the address in both records; the status after the merge, and if it is confirmed.
        (("unsubscribed", False), ("subscribed", True), ("subscribed", True)),
        (("subscribed", True), ("unsubscribed", False), ("subscribed", True)),
        (("unsubscribed", False), (None, True), ("unsubscribed", False)),
        ((None, True), ("unsubscribed", False), ("unsubscribed", False)),
        (("unsubscribed", False), ("unsubscribed", True), ("unsubscribed", True)),
        (("spam complaints", False), ("unsubscribed", True), ("unsubscribed", True)),
        (("unsubscribed", True), ("subscribed", True), ("unsubscribed", True)),
        (("subscribed", False), ("unsubscribed", False), ("unsubscribed", False)),
    ],
)
def test_a_merge_of_people_prefers_confirmed_statuses(
    api: Client,
    database: Database,
    survivor: tuple[str | None, bool],
    other: tuple[str | None, bool],
    expected: tuple[str, bool],
) -> None:
    links = {}
    # The posts without a token come first: they create a new person only while nobody owns Jane's address.
    for index in sorted((0, 1), key=lambda each: (survivor, other)[each][1]):
        status, token = (survivor, other)[index]
        own = f"own{index}@example.com"
        entries = [
            {"address": own, "primary": True},
            {"address": JANE, **({"status": status} if status else {})},
        ]
        send(api, "signup", {"email_addresses": entries[:1] if token else entries}, token=token)
        links[index] = f"/people/{database.people.find_one({'email_addresses.address': own})['_id']}"
        if token:
            assert api.put(links[index], {"email_addresses": entries}).status_code == 200
    assert database.people.count_documents({}) == 2

    response = api.post(
        f"{links[0]}/merge", {"_links": {"osdi:person": {"href": f"http://localhost/api/v1{links[1]}"}}}
    )

    assert response.status_code == 200
    stored = database.people.find_one()
    (entry,) = [each for each in stored["email_addresses"] if each["address"] == JANE]
    confirmed = f"status email:{JANE}" not in stored.get("unconfirmed_statuses", ())
    assert (entry["status"], confirmed) == expected


def test_claims_of_both_people_are_kept_in_a_merge(api: Client, database: Database) -> None:
    links = []
    for number in (1, 2):
        address = f"own{number}@example.com"
        links.append(api.created("/people", {"email_addresses": [{"address": address}]})["_links"]["self"]["href"])
        send(api, "signup", {"email_addresses": [{"address": address, "status": "unsubscribed"}]})

    api.post(f"{links[0]}/merge", {"_links": {"osdi:person": {"href": links[1]}}})

    claims = database.people.find_one()["claimed_opt_outs"]
    assert [each["address"] for each in claims] == ["own1@example.com", "own2@example.com"]


def test_a_post_without_opt_outs_claims_none_and_loses_nothing() -> None:
    fields = {
        "given_name": "Jane",
        "email_addresses": [{"address": JANE, "status": "subscribed", "primary": True}],
        "phone_numbers": [{"number": NUMBER, "sms_capable": True, "country": "US"}],
        "postal_addresses": [{"postal_code": "10011", "status": "Bad"}],
    }

    assert claimed_opt_outs(fields) == []
    assert without_opt_outs(fields) == fields
