"""Rate limits: a caller over the limit gets 429 with Retry-After, and other callers are not affected."""

import time

import pytest
from pymongo.database import Database

from blueprints.http.rate_limits import RateLimits
from osdi.access.rate_limit_storage import WAIT_MS
from osdi.access.tokens import new_token
from osdi.errors import OsdiError
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client
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

    answers = [status for number in range(3) for status in statuses(client, 1, token=True, address=f"192.0.2.{number}")]

    assert answers == [200, 200, 429]
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


class TestContactDetails:
    """Posts without a token about one e-mail address or phone number, from many addresses."""

    def posts(self, client: Client, *bodies: dict, token: bool = False) -> list[int]:
        return [
            client.record(body, token=token, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"}).status_code
            for number, body in enumerate(bodies)
        ]

    def test_the_same_address_in_any_spelling_is_limited(self, deployed: Deployed, database: Database) -> None:
        client = deployed(rate_limit_contact="2/hour")

        bodies = [by_email(each) for each in ("jane@example.com", "JANE@example.com", " jane@Example.COM")]

        assert self.posts(client, *bodies) == [200, 200, 429]
        assert self.posts(client, by_email("john@example.com")) == [200]
        assert database.outreaches.count_documents({}) == 3

    def test_subaddresses_of_one_mailbox_are_limited_together(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_contact="1/hour")

        bodies = [by_email(each) for each in ("jane@example.com", "Jane+1@example.com", "jane+2@example.com")]

        assert self.posts(client, *bodies) == [200, 429, 429]
        assert self.posts(client, *bodies, token=True) == [200, 200, 200]

    def test_the_same_phone_number_is_limited(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_contact="1/hour")
        bodies = [
            factories.outreach(person=factories.person(phone_numbers=[{"number": number}]))
            for number in ("+1 202 555 0123", "12025550123")
        ]

        assert self.posts(client, *bodies) == [200, 429]

    def test_the_limit_applies_to_the_signup_helper(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_contact="1/hour")
        body = {"person": by_email("jane@example.com")["person"]}

        answers = [client.post("/people/person_signup_helper", body, token=False) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 429]
        assert int(answers[1].headers["Retry-After"]) <= 3600

    def test_posts_with_a_token_are_not_limited(self, deployed: Deployed) -> None:
        client = deployed(rate_limit_contact="1/hour")

        assert self.posts(client, *[by_email("jane@example.com")] * 3, token=True) == [200, 200, 200]


class TestCountedInMongoDB:
    """Several processes count together."""

    def test_two_applications_share_their_counts(self, deployed: Deployed) -> None:
        first, second = (
            deployed(rate_limit_anonymous="2/minute", rate_limit_contact="1/hour", rate_limit_storage="mongodb")
            for _ in range(2)
        )

        assert [*statuses(first, 1), *statuses(second, 2)] == [200, 200, 429]

    def test_counters_contain_no_contact_detail(self, deployed: Deployed, database: Database) -> None:
        client = deployed(rate_limit_contact="9/hour", rate_limit_storage="mongodb")

        client.record(by_email("jane@example.com"), token=False)

        (counter,) = database.rate_limits.find()
        assert "jane" not in str(counter)


def test_each_process_counts_alone_while_the_database_is_unavailable() -> None:
    settings = Settings(
        mongodb_uri="mongodb://127.0.0.1:1/osdi", rate_limit_storage="mongodb", rate_limit_contact="2/hour"
    )
    limits = RateLimits(settings)

    limits.hit_contacts(["email:jane@example.com"])
    began = time.monotonic()
    limits.hit_contacts(["email:jane@example.com"])
    with pytest.raises(OsdiError) as rejected:
        limits.hit_contacts(["email:jane@example.com"])

    assert rejected.value.status == 429
    # Only the first count waits for the database.
    assert time.monotonic() - began < WAIT_MS / 1000
    limits.close()


@pytest.mark.parametrize("limit", ["many", "5", "5/fortnight"])
def test_an_invalid_limit_stops_the_start(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_ANONYMOUS", limit)

    with pytest.raises(Exception, match="RATE_LIMIT_ANONYMOUS"):
        Settings.from_environment()
