"""Follow-ups by real processes: gunicorn takes the outreach, the worker sends, and nothing is lost whatever dies."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.databases import SMALL_JOURNAL
from tests.support.examples import examples
from tests.support.live import ROOT, Live, Worker
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from tests.support.webhook_receiver import LOOPBACK, WebhookReceiver

HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAGE = json.loads((ROOT / "blueprints" / "examples" / "record_outreach_request.json").read_bytes())


def prepared(uri: str) -> str:
    """A database with the sample data; returns the secret of a token."""
    store = Store(uri)
    try:
        store.create_indexes()
        create_sample(store, "osdi_outreach")
        secret, token = new_token("processes")
        store.write(Insert(TOKENS, token))
    finally:
        store.close()
    return secret


@pytest.fixture
def environment(mongod: Mongod, sink: SmtpSink, gateway: WebhookReceiver) -> Iterator[dict[str, str]]:
    """Settings of web and worker on a database of this test's own."""
    uri = mongod.uri.replace("/osdi?", "/followups?")
    yield {
        "MONGODB_URI": uri,
        "PUBLIC_URL": "https://osdi.example.org",
        "SMTP_URL": sink.url,
        "MAIL_FROM": "The River <hello@river.example.org>",
        "SMS_GATEWAY_URL": gateway.url,
        "CALL_GATEWAY_URL": gateway.url,
        "GATEWAY_SECRET": SECRET,
        "PHONE_COUNTRIES": "US",
        "WEBHOOK_NETWORKS": LOOPBACK,
    }
    with MongoClient(uri) as client:
        client.drop_database("followups")


def states(database: Database) -> Counter[str]:
    return Counter(each["state"] for found in database.outreaches.find() for each in found.get("followups", ()))


def test_the_standards_own_request_gives_one_mail_one_text_and_one_call(
    environment: dict[str, str], sink: SmtpSink, gateway: WebhookReceiver
) -> None:
    token = prepared(environment["MONGODB_URI"])
    with Live(environment) as live, Worker(environment) as worker:
        headers = {"OSDI-API-Token": token}
        response = requests.post(live.url + HELPER, json=PAGE, headers=headers, timeout=30)
        assert response.status_code == 200, response.text
        assert "osdi_outreach:warnings" not in response.json()
        outreach = response.json()["_links"]["self"]["href"].replace("https://osdi.example.org", live.url)

        def shown() -> list[dict[str, Any]]:
            found = requests.get(outreach, headers=headers, timeout=30).json()
            return list(found["osdi_outreach:followups"])

        assert eventually(lambda: all(each["state"] == "sent" for each in shown())), (shown(), worker.output)
        assert worker.stop() == 0, worker.output

    requested = {each["kind"]: each["identifiers"] for each in shown_of(response.json())}
    assert requested == {kind: trigger["identifiers"] for kind, trigger in PAGE["triggers"].items()}
    (mail,) = sink.mails
    assert mail["To"] == PAGE["person"]["email_addresses"][0]["address"]
    assert mail["From"] == "The River <hello@river.example.org>"
    assert mail["Subject"] == f"Thank you, {PAGE['person']['given_name']}"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert str(mail["List-Unsubscribe"]).startswith("<https://osdi.example.org/unsubscribe/")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    for target in PAGE["targets"]:
        assert f"{target['title']} {target['family_name']}" in text.get_content()
        assert f"<li>{target['title']} {target['family_name']}</li>" in html.get_content()
    posted = {each.verified(SECRET)["kind"]: each.json for each in gateway.received}
    assert set(posted) == {"sms_response", "call_response"}
    assert posted["sms_response"]["text"] == f"Thank you for calling, {PAGE['person']['given_name']}!"


def shown_of(outreach: dict[str, Any]) -> list[dict[str, Any]]:
    return list(outreach["osdi_outreach:followups"])


OUTREACHES = examples(480)
WORKERS = 3
KILLS = 8
REPLY_SECONDS = 0.3  # so long that a kill meets workers in between, and that mails are left for the last kill
LEASE_SECONDS = 4
CHAOS_SECONDS = 150
POSTS = 60  # three for each of twenty campaigns; an address gets five mails a day


@pytest.mark.slow
def test_no_mail_is_lost_while_workers_the_database_and_the_mail_server_fail(
    mongod_folder: Path, sink: SmtpSink
) -> None:
    """Of many mails: workers are killed, mongod is restarted, the mail server says 451 for a while, and is slow.

    A mail comes twice where a worker was killed, or lost the database, between handing it over and marking it. Then its
    lease ran out, so no mail can come more often than 1 + its lost leases; and a repeat has the same Message-ID.
    """
    wanted = OUTREACHES
    chance = random.Random(20)
    sink.reply_seconds = REPLY_SECONDS
    with Mongod(mongod_folder / "chaos", options=SMALL_JOURNAL) as mongod:
        prepared(mongod.uri)
        environment = {
            "MONGODB_URI": mongod.uri,
            "SMTP_URL": sink.url,
            "MAIL_FROM": "hello@river.example.org",
            "FOLLOWUP_LEASE_SECONDS": str(LEASE_SECONDS),
            "RATE_LIMIT_MAIL": "",
        }
        with Live(environment, workers=2) as live:
            addresses = post_many(live, wanted)
        workers = [Worker(environment).start() for _ in range(WORKERS)]
        try:
            killed = 0
            restarted = rejected = False
            began = time.monotonic()
            with MongoClient(mongod.uri) as client:
                database = client.get_default_database()
                while time.monotonic() - began < CHAOS_SECONDS and states_or_none(database) != {"sent": wanted}:
                    time.sleep(chance.uniform(0.2, 0.8))
                    if killed < KILLS:
                        worker = chance.choice(workers)
                        worker.kill()
                        killed += 1
                        worker.start()
                    else:  # they are left alone, so that the rest is seen to arrive
                        sink.reply_seconds = 0
                    sink.data_reply = "451 4.3.0 try again later" if killed in (3, 4) else ""
                    rejected = rejected or bool(sink.data_reply)
                    if killed > KILLS // 2 and not restarted:
                        mongod.stop()
                        mongod.start()
                        restarted = True
                left = states(database)
                leases_lost = {
                    each["_id"]: each.get("leases_lost", 0)
                    for found in database.outreaches.find()
                    for each in found["followups"]
                }
        finally:
            for worker in workers:
                worker.kill()
            output = "".join(worker.output for worker in workers)
            for worker in workers:
                worker.close()

    assert left == {"sent": wanted}, output[-3_000:]
    assert killed == KILLS
    assert restarted
    assert rejected
    assert {to for _, to, _ in sink.envelopes} == addresses, "every mail came at least once"
    deliveries = Counter((followup_id(sent), to) for _, to, sent in sink.envelopes)
    assert len(deliveries) == wanted, "a repeat has the same Message-ID"
    assert all(times <= 1 + leases_lost[each] for (each, _), times in deliveries.items())
    twice = sum(times - 1 for times in deliveries.values())
    print(f"{wanted} mails, {killed} kills: {twice} repeats, {sum(leases_lost.values())} leases lost")
    # On a busy machine every worker may be killed before it has sent a mail of its batch: then no mail comes twice.
    assert twice <= sum(leases_lost.values())


def states_or_none(database: Database) -> dict[str, int] | None:
    try:
        return dict(states(database))
    except Exception:  # mongod is being restarted
        return None


def followup_id(sent: bytes) -> str:
    """The follow-up's id, which the Message-ID is made of."""
    (line,) = [line for line in sent.split(b"\r\n") if line.startswith(b"Message-ID: <")]
    return line.removeprefix(b"Message-ID: <").partition(b"@")[0].decode()


def post_many(live: Live, wanted: int) -> set[str]:
    """Record that many outreaches without a token, each of somebody else; the addresses that a mail is due to."""
    addresses = {f"person{number}@example.com" for number in range(wanted)}

    def post(address: str) -> None:
        body = factories.by_email(address) | {"triggers": {"autoresponse": {"enabled": True}}}
        assert requests.post(live.url + HELPER, json=body, timeout=30).status_code == 200

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, sorted(addresses)))
    return addresses


@pytest.mark.slow
def test_many_posts_about_one_victim_stay_below_the_sending_limit(environment: dict[str, str], sink: SmtpSink) -> None:
    """With twenty campaigns, so that one follow-up a campaign and day does not bound it alone."""
    token = prepared(environment["MONGODB_URI"])
    headers = {"OSDI-API-Token": token}
    chosen = environment | {"RATE_LIMIT_MAIL_ADDRESS": "5/day", "RATE_LIMIT_CONTACT": ""}
    with Live(chosen, workers=2) as live:
        helpers = [HELPER]
        for _ in range(19):
            made = requests.post(
                f"{live.url}{API}/advocacy_campaigns", json={"title": "x"}, headers=headers, timeout=30
            ).json()
            campaign = made["_links"]["self"]["href"].replace("https://osdi.example.org", "")
            offered = {"autoresponse": {"identifiers": ["system_1:eb84f0d01dec3b1ffb9e4dca406fa45e"]}}
            assert requests.put(f"{live.url}{campaign}/triggers", json=offered, headers=headers, timeout=30).ok
            helpers.append(f"{campaign}/record_outreach_helper")

        def attack(number: int) -> int:
            spelling = ("victim@example.com", "Victim@Example.com", "VICTIM@EXAMPLE.COM")[number % 3]
            body = factories.by_email(spelling) | {"triggers": {"autoresponse": {"enabled": True}}}
            if number % 2:  # the victim's address is the second one of a made-up person
                entries = [{"address": f"attacker{number}@example.com"}, {"address": spelling, "primary": True}]
                body["person"]["email_addresses"] = entries
            return requests.post(live.url + helpers[number % 20], json=body, timeout=30).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(attack, range(POSTS))) == {200}
        with Worker(chosen) as worker, MongoClient(environment["MONGODB_URI"]) as client:
            database = client.get_default_database()
            assert database.outreaches.count_documents({"followups": {"$exists": True}}) == POSTS
            assert eventually(lambda: not {"queued", "leased"} & set(soon(database)), seconds=120), soon(database)
            assert worker.stop() == 0

    to_victim = [to for _, to, _ in sink.envelopes if to.lower() == "victim@example.com"]
    assert 1 <= len(to_victim) <= 5


def soon(database: Database) -> Counter[str]:
    """The states; what waits for another of its kind need not wait in this test."""
    due = {"followups.state": "queued", "followups.reason": "another_first"}
    database.outreaches.update_many(
        due, {"$min": {"followups.$[].not_before": database.outreaches.find_one()["created_date"]}}
    )
    return states(database)


@pytest.mark.slow
def test_the_worker_sends_webhooks(environment: dict[str, str], gateway: WebhookReceiver) -> None:
    token = prepared(environment["MONGODB_URI"])
    headers = {"OSDI-API-Token": token}
    with Live(environment | {"CACHE_SECONDS": "0"}) as live, Worker(environment) as worker:
        made = requests.post(f"{live.url}{API}/webhooks", json={"url": gateway.url}, headers=headers, timeout=30)
        assert made.status_code == 200, made.text
        gateway.status = 503
        for _ in range(20):
            assert requests.post(live.url + HELPER, json=factories.outreach(), headers=headers, timeout=30).ok
        assert eventually(lambda: len(gateway.received) >= 1)
        gateway.status = 200

        assert eventually(lambda: len(gateway.entries(made.json()["secret"])) >= 40), worker.output
        assert worker.stop() == 0, worker.output

    entries = gateway.entries(made.json()["secret"])
    events = Counter(entry["osdi_outreach:event"] for entry in entries)
    assert events == {"person_created": 20, "outreach_recorded": 20}
    assert len({entry["idempotency_key"] for entry in entries}) == 40
    assert len(gateway.accepted) < 10, "in batches"
