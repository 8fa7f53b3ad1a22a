"""Batches of follow-ups: leased together, but checked, sent and marked alone; none is lost with its worker."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from dev.mongod import free_port
from osdi.followups.delivery import Followups
from osdi.followups.leases import batch
from osdi.followups.transports import transports
from osdi.followups.unsubscribe import unsubscribe
from osdi.ids import now
from osdi.settings import Settings
from osdi.store import Store
from tests.followups.conftest import PUBLIC
from tests.support import factories
from tests.support.client import Client
from tests.support.smtp_sink import SmtpSink

WorkerOf = Callable[..., Followups]
ADDRESSES = [f"person{number}@example.com" for number in range(3)]
LAST = ADDRESSES[-1]

pytestmark = pytest.mark.usefixtures("message")


@pytest.fixture
def worker_of(app: Flask, store: Store, settings: Settings, sink: SmtpSink) -> Iterator[WorkerOf]:
    """Makes workers, each with its own transports, and closes those that a test has not closed."""
    made: list[Followups] = []

    def make(**changed: Any) -> Followups:
        usual = {"public_url": PUBLIC, "smtp_url": sink.url, "mail_from": "hello@river.example.org"}
        chosen = Settings(mongodb_uri=settings.mongodb_uri, **(usual | changed))
        made.append(Followups(store, app.extensions[EXTENSION].reference, chosen, transports(store, chosen)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def record_with_autoresponse(api: Client, *addresses: str, token: bool = True) -> None:
    """Records an outreach of each of these people, with an autoresponse."""
    for address in addresses:
        body = factories.by_email(address) | {"triggers": {"autoresponse": {"enabled": True}}}
        assert api.record(body, token=token).status_code == 200


def lease_of_another_worker(database: Database) -> None:
    """Makes the first follow-up to LAST one that another worker is sending."""
    person = database.people.find_one({"email_addresses.address": LAST})["_id"]
    outreach = database.outreaches.find_one({"person_id": person}, sort=[("_id", 1)])["_id"]
    leased = {"state": "leased", "lease": "another", "not_before": now() + dt.timedelta(minutes=5)}
    database.outreaches.update_one(
        {"_id": outreach}, {"$set": {f"followups.0.{name}": value for name, value in leased.items()}}
    )


def finish(worker: Followups) -> None:
    while worker.do_next():
        pass


def followups(database: Database) -> dict[str, dict[str, Any]]:
    """Returns the follow-up of each address."""
    addresses = {each["_id"]: each["email_addresses"][0]["address"] for each in database.people.find()}
    return {addresses[each["person_id"]]: each["followups"][0] for each in database.outreaches.find()}


def sent_to(sink: SmtpSink) -> list[str]:
    return [to for _, to, _ in sink.envelopes]


def with_link(api: Client, store: Store, database: Database) -> None:
    unsubscribe(store, LAST)


def with_put(api: Client, store: Store, database: Database) -> None:
    person = database.people.find_one({"email_addresses.address": LAST})["_id"]
    entries = [{"address": LAST, "status": "unsubscribed"}]
    assert api.put(f"/people/{person}", {"email_addresses": entries}).status_code == 200


def with_another_person(api: Client, store: Store, database: Database) -> None:
    entries = [{"address": "other@example.com", "primary": True}, {"address": LAST, "status": "spam complaints"}]
    assert api.created("/people", {"email_addresses": entries})


def with_deleted_person(api: Client, store: Store, database: Database) -> None:
    person = database.people.find_one({"email_addresses.address": LAST})["_id"]
    assert api.delete(f"/people/{person}").status_code == 200


def with_deleted_outreach(api: Client, store: Store, database: Database) -> None:
    person = database.people.find_one({"email_addresses.address": LAST})["_id"]
    outreach = database.outreaches.find_one({"person_id": person})["_id"]
    assert api.delete(f"/advocacy_campaigns/{api.campaign_id}/outreaches/{outreach}").status_code == 200


@pytest.mark.one_in(3)
@pytest.mark.parametrize("token", [True, False], ids=["with-token", "without-token"])
@pytest.mark.parametrize(
    "opt_out", [with_link, with_put, with_another_person, with_deleted_person, with_deleted_outreach]
)
def test_an_opt_out_after_the_batch_was_leased_counts(
    api: Client,
    store: Store,
    database: Database,
    sink: SmtpSink,
    worker_of: WorkerOf,
    opt_out: Callable[[Client, Store, Database], None],
    token: bool,
) -> None:
    record_with_autoresponse(api, *ADDRESSES, token=token)
    worker = worker_of()
    assert worker.do_next()
    leased = database.outreaches.count_documents({"followups.state": "leased"})

    opt_out(api, store, database)
    finish(worker)

    assert leased == len(ADDRESSES) - 1, "the last mail was leased before"
    assert sent_to(sink) == ADDRESSES[:-1]
    assert not database.outreaches.count_documents({"followups.state": {"$in": ["queued", "leased"]}})


def test_an_opt_out_of_an_address_that_became_primary_after_the_batch_was_leased_counts(
    api: Client, store: Store, database: Database, sink: SmtpSink, worker_of: WorkerOf
) -> None:
    record_with_autoresponse(api, *ADDRESSES)
    unsubscribe(store, "new@example.com")
    worker = worker_of()
    worker.do_next()

    person = database.people.find_one({"email_addresses.address": LAST})["_id"]
    entries = [{"address": LAST}, {"address": "new@example.com", "primary": True}]
    assert api.put(f"/people/{person}", {"email_addresses": entries}).status_code == 200
    database.outreaches.update_many({}, {"$unset": {"followups.0.to": ""}})
    finish(worker)

    assert sent_to(sink) == ADDRESSES[:-1]
    assert database.outreaches.find_one({"person_id": person})["followups"][0]["reason"] == "unsubscribed"


def test_a_killed_workers_batch_is_sent_after_the_lease_and_only_one_mail_may_come_twice(
    api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_with_autoresponse(api, *ADDRESSES)
    killed = worker_of()
    killed.do_next()
    with monkeypatch.context() as patched:
        patched.setattr("osdi.followups.leases.lease_store.mark", killed_here)
        with pytest.raises(KeyboardInterrupt):
            killed.do_next()
    another = worker_of()
    finish(another)
    assert sent_to(sink) == ADDRESSES[:2], "the lease is still valid"

    database.outreaches.update_many(
        {"followups.state": "leased"}, {"$set": {"followups.0.not_before": now() - dt.timedelta(seconds=1)}}
    )
    finish(worker_of())

    assert sent_to(sink) == [*ADDRESSES[:2], *ADDRESSES[1:]]
    assert max(sink.message_ids.values()) == 2, "a repeat has the same Message-ID"
    lost = {address: each.get("leases_lost", 0) for address, each in followups(database).items()}
    assert lost == {ADDRESSES[0]: 0, ADDRESSES[1]: 1, ADDRESSES[2]: 0}


def killed_here(*_: object, **__: object) -> bool:
    raise KeyboardInterrupt


def test_a_worker_whose_lease_another_one_took_over_sends_nothing_of_it(
    api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf
) -> None:
    record_with_autoresponse(api, *ADDRESSES)
    slow = worker_of()
    slow.do_next()
    database.outreaches.update_many(
        {"followups.state": "leased"}, {"$set": {"followups.0.not_before": now() - dt.timedelta(seconds=1)}}
    )
    another = worker_of()
    another.do_next()

    finish(slow)
    finish(another)

    assert sent_to(sink) == ADDRESSES
    assert {each["state"] for each in followups(database).values()} == {"sent"}


@pytest.mark.parametrize("token", [True, False], ids=["with-token", "without-token"])
def test_a_stopped_worker_gives_back_what_it_has_not_begun(
    api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf, token: bool
) -> None:
    record_with_autoresponse(api, *ADDRESSES, token=token)
    before = followups(database)
    worker = worker_of()
    worker.do_next()

    worker.close()

    after = followups(database)
    assert after[ADDRESSES[0]]["state"] == "sent"
    assert [after[each] for each in ADDRESSES[1:]] == [before[each] for each in ADDRESSES[1:]]
    finish(worker_of())
    assert sent_to(sink) == ADDRESSES


def test_a_slow_worker_gives_back_the_rest_when_the_time_of_the_batch_is_over(
    api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BATCH_SECONDS", 0.0)
    record_with_autoresponse(api, *ADDRESSES)
    worker = worker_of()

    finish(worker)

    assert sent_to(sink) == ADDRESSES
    assert [each["attempts"] for each in followups(database).values()] == [1, 1, 1]


def test_two_workers_share_a_queue_of_more_than_a_batch(
    api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BATCH", 2)
    addresses = [f"many{number}@example.com" for number in range(5)]
    record_with_autoresponse(api, *addresses)
    first, second = worker_of(), worker_of()

    assert [worker.do_next() for _ in range(3) for worker in (first, second)] == [True] * 5 + [False]

    assert sent_to(sink) == [addresses[number] for number in (0, 2, 1, 3, 4)]
    assert database.outreaches.count_documents({"followups.state": "sent"}) == 5


def test_of_two_followups_to_a_person_in_one_batch_the_first_is_sent(
    api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf
) -> None:
    record_with_autoresponse(api, LAST, LAST)

    finish(worker_of())

    assert sent_to(sink) == [LAST]
    outcomes = [each["followups"][0] for each in database.outreaches.find().sort("_id")]
    assert [(each["state"], each.get("reason")) for each in outcomes] == [("sent", None), ("skipped", "sent_before")]


def test_each_mail_of_a_batch_has_its_own_words_and_link_in_both_parts(
    api: Client, sink: SmtpSink, worker_of: WorkerOf
) -> None:
    names = {ADDRESSES[0]: "Jane", ADDRESSES[1]: "Mary Ann O'Brien", ADDRESSES[2]: "Zoë <3"}
    for address, name in names.items():
        body = factories.outreach(person={"given_name": name, "email_addresses": [{"address": address}]})
        assert api.record(body | {"triggers": {"autoresponse": {"enabled": True}}}).status_code == 200

    finish(worker_of())

    assert sent_to(sink) == ADDRESSES
    urls = [str(mail["List-Unsubscribe"]).strip("<>") for mail in sink.mails]
    assert len(set(urls)) == len(ADDRESSES)
    for mail, name, url in zip(sink.mails, names.values(), urls, strict=True):
        html, text = (mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("html", "plain"))
        assert text.split("\n\n") == [f"Dear {name}, thank you.", f"Unsubscribe ({url})\n"]
        assert f'href="{url}"' in html
        assert f"Dear {escape(name)}, thank you." in html


class TestLimitsOfAnonymousPosts:
    def test_count_what_was_sent_and_nothing_else(
        self, api: Client, store: Store, database: Database, sink: SmtpSink, worker_of: WorkerOf
    ) -> None:
        record_with_autoresponse(api, *ADDRESSES, token=False)
        worker = worker_of(rate_limit_mail="10/hour", rate_limit_mail_address="2/day")
        worker.do_next()
        unsubscribe(store, LAST)

        finish(worker)
        worker.close()

        assert sent_to(sink) == ADDRESSES[:-1]
        counts = sorted(each["count"] for each in database.rate_limits.find({"count": {"$exists": True}}))
        assert counts == [0, 1, 1, 2], "of the unsubscribed address, of the other two, and of all"
        assert database.mailbox_intervals.count_documents({}) == 2
        assert "admitted" not in followups(database)[LAST]

    def test_count_once_although_the_worker_is_killed(
        self, api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf
    ) -> None:
        limits = {"rate_limit_mail": "3/hour", "rate_limit_mail_address": "1/day"}
        record_with_autoresponse(api, *ADDRESSES, token=False)
        worker_of(**limits).do_next()  # and never does more
        database.outreaches.update_many(
            {"followups.state": "leased"}, {"$set": {"followups.0.not_before": now() - dt.timedelta(seconds=1)}}
        )

        finish(worker_of(**limits))

        assert sent_to(sink) == ADDRESSES

    @pytest.mark.parametrize("reason", ["pause", "postponed"])
    def test_a_mailbox_keeps_its_interval_after_another_worker_has_sent_what_the_first_gave_back(
        self, api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf, reason: str
    ) -> None:
        """The first worker has counted the follow-ups ahead, and does nothing more until the second has sent them."""
        if reason == "pause":
            record_with_autoresponse(api, *ADDRESSES, token=False)
            first = worker_of(smtp_url=f"smtp://127.0.0.1:{free_port()}")
        else:  # two outreaches of one person: another worker has leased the other one
            record_with_autoresponse(api, "other@example.com", LAST, LAST, token=False)
            lease_of_another_worker(database)
            first = worker_of()
        while first.do_next():
            pass
        database.outreaches.update_many({"followups.state": "queued"}, {"$set": {"followups.0.not_before": now()}})
        if reason == "postponed":
            database.outreaches.delete_one({"followups.lease": "another"})
        finish(worker_of())
        first.close()
        record_with_autoresponse(api, LAST.replace("@", "+again@"), token=False)

        finish(worker_of())

        assert [to for to in sent_to(sink) if to.startswith(LAST.partition("@")[0])] == [LAST]

    @pytest.mark.parametrize("seconds", [60.0, 0.0], ids=["begins the next one", "gives the rest back"])
    def test_a_mailbox_keeps_its_interval_if_another_worker_has_the_lease_now(
        self,
        api: Client,
        database: Database,
        sink: SmtpSink,
        worker_of: WorkerOf,
        seconds: float,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(batch, "BATCH_SECONDS", seconds)
        record_with_autoresponse(api, *ADDRESSES, token=False)
        slow = worker_of()
        slow.do_next()
        database.outreaches.update_many(
            {"followups.state": "leased"}, {"$set": {"followups.0.not_before": now() - dt.timedelta(seconds=1)}}
        )
        finish(worker_of())
        finish(slow)
        record_with_autoresponse(api, LAST.replace("@", "+again@"), token=False)

        finish(worker_of())

        assert sent_to(sink) == ADDRESSES

    @pytest.mark.parametrize("seconds", [60.0, 0.0], ids=["begins the next one", "gives the rest back"])
    def test_the_interval_of_a_deleted_outreach_is_free(
        self,
        api: Client,
        store: Store,
        database: Database,
        sink: SmtpSink,
        worker_of: WorkerOf,
        seconds: float,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(batch, "BATCH_SECONDS", seconds)
        record_with_autoresponse(api, *ADDRESSES, token=False)
        worker = worker_of()
        worker.do_next()
        with_deleted_outreach(api, store, database)
        finish(worker)
        record_with_autoresponse(api, LAST.replace("@", "+again@"), token=False)

        finish(worker)

        assert sent_to(sink) == [*ADDRESSES[:-1], LAST.replace("@", "+again@")]

    def test_let_as_many_pass_as_they_leave(
        self, api: Client, database: Database, sink: SmtpSink, worker_of: WorkerOf
    ) -> None:
        record_with_autoresponse(api, *ADDRESSES, token=False)

        finish(worker_of(rate_limit_mail="100/day;2/hour"))

        assert sent_to(sink) == ADDRESSES[:-1]
        assert followups(database)[LAST]["reason"] == "too_many"
        counts = [each["count"] for each in database.rate_limits.find({"count": {"$gte": 2}})]
        assert counts == [2, 2]
