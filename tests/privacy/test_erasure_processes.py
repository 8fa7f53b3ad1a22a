"""Erasure on a real server with full logging: afterwards neither the database nor the log has data of the person."""

import datetime as dt
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.ids import now
from osdi.resources import API
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support.fork_server import run
from tests.support.live import Live
from tests.support.planted import DIGITS, MARKER, Planted, create_planted, traces
from tests.support.smtp_sink import SmtpSink

SECONDS = 60
NAME = "erased_live"
AWAY = "smtp://127.0.0.1:9"
MAIL = {"FOLLOWUP_INTERVAL_HOURS": "0", "PUBLIC_URL": "http://127.0.0.1", "MAIL_FROM": "hello@river.example.org"}


class Response:
    """A response with the attributes that `planted` uses."""

    def __init__(self, response: requests.Response) -> None:
        self.status_code = response.status_code
        self.json = response.json()


class Remote:
    """The tests' client, over the network: as much of it as the planting needs."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self.campaign_id = self.created("/advocacy_campaigns", {"title": "Protect the river"})["_links"]["self"][
            "href"
        ].rsplit("/", 1)[1]

    def send(self, method: str, address: str, body: Any = None, *, token: bool = True, **options: Any) -> Response:
        url = address if address.startswith("http") else f"{self._url}{API}{address}"
        headers = {**options.pop("headers", {}), "User-Agent": MARKER, "Referer": f"https://{MARKER}.example/"}
        if token:
            headers["OSDI-API-Token"] = self._token
        return Response(requests.request(method, url, json=body, headers=headers, timeout=SECONDS))

    def post(self, address: str, body: Any, **options: Any) -> Response:
        return self.send("POST", address, body, **options)

    def put(self, address: str, body: Any, **options: Any) -> Response:
        return self.send("PUT", address, body, **options)

    def record(self, body: Any, **options: Any) -> Response:
        return self.post(f"/advocacy_campaigns/{self.campaign_id}/record_outreach_helper", body, **options)

    def recorded(self, body: Any, **options: Any) -> dict[str, Any]:
        response = self.record(body, **options)
        assert response.status_code == 200, response.json
        return dict(response.json)

    def created(self, address: str, body: Any) -> dict[str, Any]:
        response = self.post(address, body)
        assert response.status_code == 200, response.json
        return dict(response.json)


@pytest.fixture
def deployment(mongod: Mongod) -> Iterator[tuple[dict[str, str], str, Database]]:
    """The environment of a deployment with a database of its own, a token, and that database."""
    uri = mongod.uri.replace("/osdi?", f"/{NAME}?")
    with MongoClient(uri) as client:
        client.drop_database(NAME)
        store = Store(uri)
        store.create_indexes()
        secret, document = new_token("CRM sync")
        store.write(Insert(TOKENS, document))
        store.close()
        yield (
            {"MONGODB_URI": uri, "CACHE_SECONDS": "0", "LOG_LEVEL": "debug", "LOG_FORMAT": "json"},
            secret,
            client[NAME],
        )
        client.drop_database(NAME)


def command(environment: dict[str, str], *arguments: str) -> str:
    """Returns the output of a flask command, standard error included."""
    done = run("flask", "--app", "wsgi", *arguments, env={**os.environ, **environment}, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.one_in(2)
@pytest.mark.parametrize("way", ["HTTP", "command"])
def test_database_and_logs_contain_no_data_of_the_person(
    deployment: tuple[dict[str, str], str, Database], sink: SmtpSink, way: str
) -> None:
    environment, secret, database = deployment
    everything = {**environment, "RATE_LIMIT_STORAGE": "mongodb", "RATE_LIMIT_CONTACT": "60/hour"}
    everything["GUNICORN_CMD_ARGS"] = "--log-level debug"
    outputs = []
    with Live(everything, workers=2) as live:
        remote = Remote(live.url, secret)
        planted: Planted = create_planted(remote, database)  # type: ignore[arg-type]
        requests.get(f"{live.url}{API}/people/{MARKER}", timeout=SECONDS)
        assert set(traces(database)) == {"people", "outreaches", "merged_people"}
        # Webhooks wait to be tried again, and a mail server that is away keeps the mails waiting.
        database.webhooks.update_many({}, {"$set": {"not_before": now() + dt.timedelta(days=1)}})
        outputs.append(command({**environment, **MAIL, "SMTP_URL": AWAY}, "worker", "--once"))
        assert "smtp_connect" in outputs[-1]
        assert set(database.outreaches.distinct("followups.state")) == {"queued", "sent", "failed"}
        if way == "HTTP":
            erased = remote.send("DELETE", f"/people/{planted.person_id}?erase=true")
            assert erased.status_code == 200, erased.json
        else:
            outputs.append(command(environment, "erase-person", planted.person_id, "--yes"))
        outputs.append(command({**environment, "RETAIN_MESSAGE_DAYS": "30"}, "apply-retention"))
    outputs.append(live.output)

    assert traces(database) == {}
    output = "\n".join(outputs).casefold()
    assert '"route":"/api/v1/people/<person_id>"' in output
    assert MARKER not in output
    assert DIGITS not in output
    # A later worker has no recipient.
    database.outreaches.update_many({}, {"$set": {"followups.$[].not_before": now()}})
    outputs.append(command({**environment, **MAIL, "SMTP_URL": sink.url}, "worker", "--once"))
    assert sink.mails == []
    assert MARKER not in outputs[-1].casefold()
