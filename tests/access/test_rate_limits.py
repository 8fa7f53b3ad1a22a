"""Rate limits: a caller over the limit gets 429 with Retry-After, and other callers are not affected."""

import datetime as dt
import json
import time
from typing import Any

import pytest
from pymongo.database import Database

from blueprints.http.rate_limits import ALONE_PART, RateLimits
from osdi.access.rate_limit_storage import WAIT_MS
from osdi.access.tokens import new_token
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client
from tests.support.clocks import shift_clock
from tests.support.factories import by_email


def statuses(client: Client, times: int, *, token: bool | str = False, address: str = "192.0.2.1") -> list[int]:
    """Returns the status codes of this number of posts about different people."""
    environment = {"REMOTE_ADDR": address}
    return [
        client.record(factories.outreach(), token=token, environ_base=environment).status_code for _ in range(times)
    ]


def test_without_a_token_an_address_is_limited(deployed: Deployed, database: Database) -> None:
    client = deployed(rate_limit_anonymous="3/minute")

    assert statuses(client, 5) == [200, 200, 200, 429, 429]
    assert statuses(client, 1, address="192.0.2.2") == [200]
    assert database.outreaches.count_documents({}) == 4


def test_the_error_has_the_osdi_format_and_retry_after(deployed: Deployed) -> None:
    client = deployed(rate_limit_anonymous="1/minute")
    statuses(client, 1)

    origin = {"Origin": "https://campaign.example.org"}
    rejected = client.record(
        factories.outreach(), token=False, environ_base={"REMOTE_ADDR": "192.0.2.1"}, headers=origin
    )

    assert rejected.status_code == rejected.json["osdi:error"]["response_code"] == 429
    assert rejected.content_type == "application/hal+json"
    assert 1 <= int(rejected.headers["Retry-After"]) <= 60
    assert rejected.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in rejected.headers["Access-Control-Expose-Headers"]


def test_a_token_is_limited_across_addresses(deployed: Deployed, store: Store) -> None:
    client = deployed(rate_limit_token="2/minute", rate_limit_anonymous="1/minute")
    secret, document = new_token("other")
    store.write(Insert(TOKENS, document))

    responses = [
        status for number in range(3) for status in statuses(client, 1, token=True, address=f"192.0.2.{number}")
    ]

    assert responses == [200, 200, 429]
    assert statuses(client, 1, token=secret) == [200]


def test_invalid_tokens_count_for_the_address(deployed: Deployed) -> None:
    client = deployed(rate_limit_anonymous="2/minute")

    assert [*statuses(client, 1, token="osdi_a"), *statuses(client, 2, token="osdi_b")] == [401, 401, 429]


def test_reads_count_but_preflights_and_pages_do_not(deployed: Deployed) -> None:
    client = deployed(rate_limit_anonymous="1/minute")

    assert {client.http.options("/api/v1/people").status_code for _ in range(3)} == {200}
    assert {client.http.get("/openapi.json").status_code for _ in range(3)} == {200}
    assert [client.get("/", token=False).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
    ],
)
def test_addresses_of_one_ipv6_network_share_a_limit(deployed: Deployed, first: str, second: str, same: bool) -> None:
    client = deployed(rate_limit_anonymous="1/minute")
    statuses(client, 1, address=first)

    assert statuses(client, 1, address=second) == [429 if same else 200]


class TestBehindAProxy:
    """TRUSTED_PROXIES is the number of addresses in X-Forwarded-For that count, from the end."""

    def post(self, client: Client, forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return client.record(factories.outreach(), token=False, headers=headers).status_code

    def test_callers_are_distinguished_by_the_last_address(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_anonymous="1/minute", trusted_proxies=1)

        assert [self.post(client, each) for each in ("192.0.2.1", "192.0.2.2", "192.0.2.1")] == [200, 200, 429]

    def test_a_forged_address_gains_nothing(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_anonymous="1/minute", trusted_proxies=1)

        assert [self.post(client, f"203.0.113.{number}, 192.0.2.1") for number in range(3)] == [200, 429, 429]

    def test_without_proxies_the_header_is_ignored(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_anonymous="1/minute")

        assert [self.post(client, f"192.0.2.{number}") for number in range(2)] == [200, 429]


def from_everywhere(client: Client, *bodies: dict, token: bool = False) -> list[int]:
    """Returns the status codes of these posts, each from another address."""
    return [
        client.record(body, token=token, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"}).status_code
        for number, body in enumerate(bodies)
    ]


def not_applied(database: Database) -> list[str | None]:
    """Returns, for each outreach in its order, why only the outreach was recorded."""
    return [each.get("not_applied") for each in database.outreaches.find().sort("_id", 1)]


class TestContactDetails:
    """Outreaches without a token that are about one e-mail address or phone number, from many addresses."""

    def test_more_outreaches_of_an_address_in_any_spelling_are_only_recorded(
        self, deployed: Deployed, database: Database
    ) -> None:
        client = deployed(rate_limit_contact="2/hour")

        bodies = [by_email(each) for each in ("jane@example.com", "JANE@example.com", " jane@Example.COM")]

        assert from_everywhere(client, *bodies) == [200, 200, 200]
        assert from_everywhere(client, by_email("john@example.com")) == [200]
        assert not_applied(database) == [None, None, "too_many_posts", None]

    def test_subaddresses_of_one_mailbox_are_limited_together(self, deployed: Deployed, database: Database) -> None:
        client = deployed(rate_limit_contact="1/hour")

        bodies = [by_email(each) for each in ("jane@example.com", "Jane+1@example.com", "jane+2@example.com")]

        assert from_everywhere(client, *bodies) == [200, 200, 200]
        assert not_applied(database) == [None, "too_many_posts", "too_many_posts"]

    def test_the_same_phone_number_is_limited(self, deployed: Deployed, database: Database) -> None:
        client = deployed(rate_limit_contact="1/hour")
        bodies = [
            factories.outreach(person={"phone_numbers": [{"number": number}]})
            for number in ("+1 202 555 0123", "12025550123")
        ]

        assert from_everywhere(client, *bodies) == [200, 200]
        assert not_applied(database) == [None, "too_many_posts"]

    def test_an_outreach_over_the_limit_changes_nothing_of_a_known_person_and_sends_nothing(
        self, deployed: Deployed, database: Database
    ) -> None:
        client = deployed(rate_limit_contact="1/hour")
        client.created("/messages", factories.message(identifiers=["crm:thanks"]))
        client.created("/tags", {"name": "volunteer"})
        named = {"autoresponse": {"identifiers": ["crm:thanks"]}}
        assert client.put(f"/advocacy_campaigns/{client.campaign_id}/triggers", named).status_code == 200
        assert from_everywhere(client, by_email("jane@example.com")) == [200]
        before = database.people.find_one()

        body = by_email(
            "jane@example.com",
            email_addresses=[{"address": "jane@example.com", "status": "unsubscribed"}],
            given_name="Mallory",
        )
        body |= {"add_tags": ["volunteer"], "triggers": {"autoresponse": {"enabled": True}}}
        response = client.record(body, token=False)

        assert response.data == b"{}"
        assert database.people.find_one() == before
        link = f"/advocacy_campaigns/{client.campaign_id}/outreaches"
        shown = client.get(link).json["_embedded"]["osdi:outreaches"][1]
        assert shown["osdi_outreach:not_applied"] == "too_many_posts"
        assert shown["osdi_outreach:claimed_opt_outs"] == [{"address": "jane@example.com", "status": "unsubscribed"}]
        (followup,) = shown["osdi_outreach:followups"]
        assert (followup["state"], followup["reason"]) == ("skipped", "too_many_posts")
        assert shown["_links"]["osdi:person"]["href"].endswith(before["_id"])

    @pytest.mark.parametrize("known", [True, False])
    def test_details_that_neither_match_nor_are_claimed_do_not_count(
        self, deployed: Deployed, database: Database, known: bool
    ) -> None:
        """Sixty posts that name ten people beside a stranger lock none of the ten out."""
        client = deployed(rate_limit_contact="1/hour")
        addresses = [f"person{number}@example.com" for number in range(9)]
        numbers = [f"+1202555{number:04}" for number in range(10)]
        if known:
            assert from_everywhere(client, *map(by_email, addresses), token=True) == [200] * 9
        stranger = {"address": "mallory@example.com", "primary": True}
        assert from_everywhere(client, by_email("mallory@example.com"), token=True) == [200]
        flood = factories.outreach(
            person={
                "email_addresses": [stranger, *({"address": each} for each in addresses)],
                "phone_numbers": [{"number": each} for each in numbers],
            }
        )
        from_everywhere(client, *[flood] * 3)
        database.outreaches.delete_many({})

        from_everywhere(client, *map(by_email, addresses))
        from_everywhere(client, *(factories.outreach(person={"phone_numbers": [{"number": each}]}) for each in numbers))

        assert not_applied(database) == [None] * 19

    def test_a_new_person_over_the_limit_is_created(self, deployed: Deployed, database: Database) -> None:
        """The person was deleted meanwhile: the outreach needs somebody."""
        client = deployed(rate_limit_contact="1/hour")
        from_everywhere(client, by_email("jane@example.com"))
        database.people.delete_many({})

        assert from_everywhere(client, by_email("jane@example.com", given_name="Jane")) == [200]

        assert not_applied(database) == [None, "too_many_posts"]
        assert database.people.find_one()["given_name"] == "Jane"

    def test_signups_of_one_sender_about_one_detail_are_limited(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_contact="1/hour")
        body = {"person": by_email("jane@example.com")["person"]}

        responses = [client.post("/people/person_signup_helper", body, token=False) for _ in range(2)]

        assert [response.status_code for response in responses] == [200, 429]
        assert int(responses[1].headers["Retry-After"]) <= 3600

    def test_a_sender_cannot_use_up_the_signup_limit_of_another(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_contact="1/hour")
        body = {"person": by_email("jane@example.com")["person"]}
        from_everywhere(client, *[by_email("jane@example.com")] * 3)

        responses = [
            client.post("/people/person_signup_helper", body, token=False, environ_base={"REMOTE_ADDR": address})
            for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        ]

        assert [response.status_code for response in responses] == [200, 429, 200]

    def test_posts_with_a_token_are_not_limited(self, deployed: Deployed, database: Database) -> None:
        client = deployed(rate_limit_contact="1/hour")

        assert from_everywhere(client, *[by_email("jane@example.com")] * 3, token=True) == [200, 200, 200]
        assert not_applied(database) == [None] * 3


class TestCountedInMongoDB:
    """Several processes count together."""

    def test_two_applications_share_their_counts(self, deployed: Deployed) -> None:
        first, second = (
            deployed(rate_limit_anonymous="2/minute", rate_limit_contact="1/hour", rate_limit_storage="mongodb")
            for _ in range(2)
        )

        assert [*statuses(first, 1), *statuses(second, 2)] == [200, 200, 429]

    @pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8:77:77::1"])
    def test_no_collection_contains_the_ip_address_or_a_counted_contact_detail(
        self, deployed: Deployed, database: Database, address: str
    ) -> None:
        limits = dict.fromkeys(factories.UNLIMITED, "5/hour") | {"rate_limit_anonymous_bytes": "5000/hour"}
        client = deployed(rate_limit_storage="mongodb", **limits)

        statuses(client, 3, address=address)
        for _ in range(2):
            client.record(
                by_email("jane@example.com"), token=False, environ_base={"REMOTE_ADDR": address}, headers={"X": address}
            )

        # Of two limits of the address, and of the contact details of four people.
        assert database.rate_limits.count_documents({"count": {"$gte": 1}}) == 2 + 4
        assert "jane" not in str(list(database.rate_limits.find()))
        everything = {name: str(list(database[name].find())) for name in database.list_collection_names()}
        network = address.partition("::")[0]
        assert [name for name, text in everything.items() if network in text] == []

    def test_counters_of_two_deployments_have_different_digests(self, database: Database, settings: Settings) -> None:
        digests = set()
        for _ in range(2):
            database.rate_limits.delete_many({})
            limits = RateLimits(Settings(mongodb_uri=settings.mongodb_uri, rate_limit_storage="mongodb"))
            for _ in range(60 // ALONE_PART + 1):
                limits.contact_counter()("email:jane@example.com")
            limits.close()
            digests |= {each["_id"] for each in database.rate_limits.find({"count": {"$gte": 1}})}

        assert len(digests) == 2

    def test_a_caller_with_few_requests_causes_no_write(self, deployed: Deployed, database: Database) -> None:
        client = deployed(rate_limit_anonymous="16/hour", rate_limit_storage="mongodb")

        assert statuses(client, 2) == [200, 200]
        assert database.rate_limits.count_documents({}) == 0

        assert statuses(client, 1) == [200]
        assert [each["count"] for each in database.rate_limits.find({"count": {"$gte": 1}})] == [3]

    def test_two_processes_allow_an_eighth_more_at_most(self, deployed: Deployed) -> None:
        clients = [deployed(rate_limit_anonymous="16/hour", rate_limit_storage="mongodb") for _ in range(2)]

        responses = [status for _ in range(20) for client in clients for status in statuses(client, 1)]

        assert responses.count(200) <= 16 + 16 // ALONE_PART
        assert set(responses[-10:]) == {429}

    @pytest.mark.parametrize("hours", [-25, 25])
    def test_a_wrong_clock_of_a_process_changes_no_limit(
        self, deployed: Deployed, database: Database, monkeypatch: pytest.MonkeyPatch, hours: int
    ) -> None:
        shift_clock(monkeypatch, hours * 3600)
        client = deployed(rate_limit_anonymous="2/hour", rate_limit_storage="mongodb")

        assert statuses(client, 4) == [200, 200, 429, 429]
        (ends,) = (each["expireAt"] for each in database.rate_limits.find({"count": {"$gte": 1}}))
        assert dt.timedelta(minutes=59) < ends - dt.datetime.now(dt.UTC).replace(tzinfo=None) < dt.timedelta(minutes=61)
        retry = client.record(factories.outreach(), token=False, environ_base={"REMOTE_ADDR": "192.0.2.1"})
        assert 3_500 <= int(retry.headers["Retry-After"]) <= 3_601


class TestBytes:
    """The bodies of posts without a token, by IP address."""

    def test_of_one_address_are_limited(self, deployed: Deployed, database: Database) -> None:
        client = deployed(rate_limit_anonymous_bytes="1000/hour")

        def send(length: int, **options: Any) -> int:
            body = factories.outreach()
            body["message"] = "x" * (length - len(json.dumps(body | {"message": ""})))
            return client.record(
                body, **{"token": False, "environ_base": {"REMOTE_ADDR": "192.0.2.1"}} | options
            ).status_code

        assert [send(400), send(400), send(400)] == [200, 200, 429]
        assert send(400, environ_base={"REMOTE_ADDR": "192.0.2.2"}) == 200
        assert send(900, token=True) == send(900, token=True) == 200
        assert database.outreaches.count_documents({}) == 5

    def test_of_invalid_posts_count_too(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_anonymous_bytes="1000/hour")

        assert [client.record("[" * 600, token=False).status_code for _ in range(3)] == [400, 429, 429]


def test_each_process_counts_alone_while_the_database_is_unavailable() -> None:
    settings = Settings(
        mongodb_uri="mongodb://127.0.0.1:1/osdi", rate_limit_storage="mongodb", rate_limit_contact="2/hour"
    )
    limits = RateLimits(settings)

    counts = [limits.contact_counter()("email:jane@example.com")]
    began = time.monotonic()
    counts += [limits.contact_counter()("email:jane@example.com") for _ in range(2)]

    assert counts == [False, False, True]
    # Only the first count waits for the database.
    assert time.monotonic() - began < WAIT_MS / 1000
    limits.close()


def test_a_request_counts_its_contact_detail_once() -> None:
    """A request that matches its person again after a write conflict calls the limit again."""
    limits = RateLimits(Settings(mongodb_uri="mongomock://", rate_limit_contact="1/hour"))

    first, second = limits.contact_counter(), limits.contact_counter()

    assert [first("email:a@example.com") for _ in range(3)] == [False] * 3
    assert second("email:a@example.com")


@pytest.mark.parametrize("limit", ["many", "5", "5/fortnight"])
def test_an_invalid_limit_stops_the_start(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_ANONYMOUS", limit)

    with pytest.raises(Exception, match="RATE_LIMIT_ANONYMOUS"):
        Settings.from_environment()
