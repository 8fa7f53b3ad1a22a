"""The operator's commands, above all those that make, show, renew and end tokens."""

import datetime as dt
import re

import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from osdi.access.tokens import token_hash
from osdi.ids import now
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

SECRET = re.compile(r"osdi_[\w-]{43}")
SOON = dt.timedelta(hours=1)


def run(app: Flask, *arguments: str, stdin: str | None = None) -> Result:
    """Runs a `tokens` command and returns its result."""
    return app.test_cli_runner().invoke(args=["tokens", *arguments], input=stdin)


def done(app: Flask, *arguments: str) -> str:
    """Returns the output of a `tokens` command; the test fails unless the command succeeds."""
    result = run(app, *arguments)
    assert result.exit_code == 0, result.output
    return str(result.output)


def secret_of(output: str) -> str:
    """The secret that a command printed, alone on its last line."""
    return output.splitlines()[-1]


def rows(app: Flask) -> dict[str, list[str]]:
    """The cells of `tokens list` by id, and the columns' names by `id`."""
    cells = [re.split(r"\s{2,}", line) for line in done(app, "list").splitlines()]
    return {row[0]: row for row in cells}


def test_indexes_and_sample_can_be_repeated(app: Flask, database: Database) -> None:
    runner = app.test_cli_runner()
    for command in ("indexes", "sample", "indexes", "sample"):
        assert runner.invoke(args=[command]).exit_code == 0

    assert database.advocacy_campaigns.count_documents({}) == 1
    assert database.questions.count_documents({}) == 2


class TestCreate:
    """Prints the secret once and keeps its hash, with what the token is bound to."""

    def test_creates_a_valid_token(self, app: Flask, api: Client) -> None:
        secret = secret_of(done(app, "create", "crm sync"))

        assert SECRET.fullmatch(secret)
        assert api.record(factories.outreach(), token=secret).json["type"] == "phone"

    def test_stores_only_the_hash(self, app: Flask, database: Database) -> None:
        secret = secret_of(done(app, "create", "crm sync"))

        document = database.tokens.find_one()
        assert document["hash"] == token_hash(secret)
        assert secret not in str(document)

    def test_takes_scopes(self, app: Flask, database: Database) -> None:
        done(app, "create", "some", "--scope", "read", "--scope", "write")
        done(app, "create", "all")

        assert database.tokens.find_one({"name": "some"})["scopes"] == ["read", "write"]
        assert database.tokens.find_one({"name": "all"})["scopes"] == ["read", "write", "admin"]

    def test_sets_person_and_campaign(self, app: Flask, api: Client, database: Database) -> None:
        person_id = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"].rsplit("/", 1)[1]

        output = done(app, "create", "jane", "--person", person_id, "--campaign", api.campaign_id)

        stored = database.tokens.find_one({"name": "jane"})
        assert (stored["person_id"], stored["advocacy_campaign_id"]) == (person_id, api.campaign_id)
        assert api.campaign_id in output
        token = secret_of(output)
        assert api.get(f"/advocacy_campaigns/{api.campaign_id}", token=token).status_code == 200
        assert api.get("/people", token=token).status_code == 403

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (("x", "--scope", "everything"), "--scope"),
            (("x", "--person", "nobody"), "person"),
            (("x", "--person", ""), "person"),
            (("x", "--campaign", "none"), "advocacy campaign"),
            (("x", "--campaign", ""), "advocacy campaign"),
            (("",), "NAME"),
            (("  ",), "NAME"),
            (("two\nlines",), "NAME"),
            (("\x1b[2J",), "NAME"),
            (("x" * 101,), "NAME"),
            ((), "NAME"),
        ],
    )
    def test_rejects_invalid_arguments(
        self, app: Flask, database: Database, arguments: tuple[str, ...], named: str
    ) -> None:
        result = run(app, "create", *arguments)

        assert result.exit_code == 2
        assert named in result.output
        assert database.tokens.count_documents({}) == 0


class TestList:
    """Shows every token and nothing secret."""

    def test_has_a_line_for_each_token(self, app: Flask, api: Client, store: Store, database: Database) -> None:
        timestamp = dt.datetime(2026, 3, 18, 11, 2)
        factories.token(
            store,
            _id="1",
            name="page",
            scopes=["read", "write"],
            advocacy_campaign_id=api.campaign_id,
            created_date=timestamp,
            last_used_date=timestamp,
            expires_date=timestamp,
        )
        factories.token(store, _id="2", name="the crm", created_date=timestamp, expires_date=dt.datetime(9000, 1, 1))
        factories.token(store, _id="3", created_date=timestamp, advocacy_campaign_id="gone")

        listed = rows(app)

        date = "2026-03-18T11:02Z"
        assert listed["id"] == ["id", "name", "scopes", "campaign", "created", "last used", "expires"]
        assert listed["1"] == ["1", "page", "read,write", api.campaign_id, date, date, f"{date} (expired)"]
        assert listed["2"] == ["2", "the crm", "read,write,admin", "any", date, "never", "9000-01-01T00:00Z"]
        assert listed["3"] == ["3", "factory", "read,write,admin", "gone (deleted)", date, "never", "never"]
        assert len(listed) == 1 + database.tokens.count_documents({})

    def test_shows_no_secret_and_no_hash(self, app: Flask, store: Store) -> None:
        secret = factories.token(store)

        output = done(app, "list")

        assert secret not in output
        assert token_hash(secret) not in output

    def test_without_tokens_is_the_header_only(self, app: Flask, database: Database) -> None:
        assert len(done(app, "list").splitlines()) == 1


class TestRotate:
    """Gives a token a new secret, which lets its holder do what the former did."""

    def test_ends_the_old_secret_at_once(self, app: Flask, api: Client, store: Store) -> None:
        former = factories.token(store, name="crm")

        output = done(app, "rotate", "crm")

        assert api.get("/people", token=former).status_code == 401
        assert api.get("/people", token=secret_of(output)).status_code == 200
        assert "within 0 seconds" in output

    @pytest.mark.parametrize("overlap", [(), ("--overlap", "2")])
    def test_keeps_person_campaign_and_scopes(
        self, app: Flask, api: Client, store: Store, database: Database, overlap: tuple[str, ...]
    ) -> None:
        bound = {"scopes": ["read"], "person_id": "p", "advocacy_campaign_id": api.campaign_id}
        factories.token(store, name="crm", last_used_date=now(), **bound)

        secret = secret_of(done(app, "rotate", "crm", *overlap))

        stored = database.tokens.find_one({"hash": token_hash(secret)})
        assert {field: stored[field] for field in bound} == bound
        assert stored["name"] == "crm"
        assert not {"expires_date", "last_used_date"} & set(stored)

    def test_accepts_both_secrets_during_the_overlap(
        self, app: Flask, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        former = factories.token(store, name="crm")
        began = now()

        latter = secret_of(done(app, "rotate", "crm", "--overlap", "2"))

        ends = database.tokens.find_one({"hash": token_hash(former)})["expires_date"]
        assert began + 2 * SOON <= ends <= now() + 2 * SOON
        assert [api.get("/people", token=each).status_code for each in (former, latter)] == [200, 200]
        monkeypatch.setattr("osdi.access.authentication.now", lambda: ends)
        assert [api.get("/people", token=each).status_code for each in (former, latter)] == [401, 200]

    def test_never_extends_the_old_secret(self, app: Flask, store: Store, database: Database) -> None:
        ends = now() + SOON
        factories.token(store, _id="1", name="crm", expires_date=ends)

        done(app, "rotate", "1", "--overlap", "48")

        assert database.tokens.find_one({"_id": "1"})["expires_date"] == ends

    def test_does_not_renew_an_expired_token(self, app: Flask, store: Store, database: Database) -> None:
        factories.token(store, name="crm", expires_date=now() - SOON)

        result = run(app, "rotate", "crm", "--overlap", "1")

        assert result.exit_code == 2
        assert "expired" in result.output
        assert database.tokens.count_documents({"name": "crm"}) == 1

    def test_by_name_selects_the_token_that_has_not_expired(self, app: Flask, store: Store, database: Database) -> None:
        factories.token(store, _id="old", name="crm", expires_date=now() - SOON)
        factories.token(store, _id="new", name="crm")

        done(app, "rotate", "crm")

        assert database.tokens.find_one({"_id": "new"}) is None
        assert database.tokens.count_documents({"name": "crm"}) == 2

    @pytest.mark.parametrize("overlap", [(), ("--overlap", "2")])
    def test_keeps_idempotency_keys(
        self, app: Flask, api: Client, store: Store, database: Database, overlap: tuple[str, ...]
    ) -> None:
        """A client that takes up the new secret between a request and its retry doubles nothing."""
        former = factories.token(store, name="crm")
        body, headers = factories.outreach(), {"Idempotency-Key": "one"}
        first = api.record(body, token=former, headers=headers).json

        again = api.record(body, token=secret_of(done(app, "rotate", "crm", *overlap)), headers=headers).json

        assert again == first
        assert database.outreaches.count_documents({}) == 1

    @pytest.mark.parametrize("hours", ["-1", "nan", "1e300", "99999999", "soon"])
    def test_rejects_an_invalid_overlap(self, app: Flask, store: Store, database: Database, hours: str) -> None:
        factories.token(store, name="crm")
        before = list(database.tokens.find())

        assert run(app, "rotate", "crm", "--overlap", hours).exit_code == 2
        assert list(database.tokens.find()) == before


class TestRevoke:
    """Ends a token."""

    @pytest.mark.parametrize("by", ["name", "_id"])
    def test_ends_the_token(self, app: Flask, api: Client, store: Store, database: Database, by: str) -> None:
        secret = factories.token(store, name="crm")
        other = factories.token(store, name="other")

        output = done(app, "revoke", database.tokens.find_one({"name": "crm"})[by], "--yes")

        assert api.get("/people", token=secret).status_code == 401
        assert api.get("/people", token=other).status_code == 200
        assert "within 0 seconds" in output

    @pytest.mark.parametrize(("stdin", "left"), [("y\n", 0), ("n\n", 1), ("", 1)])
    def test_asks_for_confirmation(self, app: Flask, store: Store, database: Database, stdin: str, left: int) -> None:
        factories.token(store, name="crm")

        result = run(app, "revoke", "crm", stdin=stdin)

        assert database.tokens.count_documents({"name": "crm"}) == left
        assert result.exit_code == left


@pytest.mark.parametrize("command", [("rotate",), ("revoke", "--yes")])
class TestFindingTheToken:
    """An id, or a name that only one token has; else nothing is done."""

    def test_an_unknown_token_is_reported(
        self, app: Flask, store: Store, database: Database, command: tuple[str]
    ) -> None:
        factories.token(store)

        result = run(app, *command, "none")

        assert result.exit_code == 2
        assert "No token has the name or id 'none'" in result.output
        assert database.tokens.count_documents({}) == 1

    def test_an_ambiguous_name_is_rejected_with_the_ids(
        self, app: Flask, store: Store, database: Database, command: tuple[str]
    ) -> None:
        for _ in range(2):
            factories.token(store, name="crm")
        before = list(database.tokens.find())

        result = run(app, *command, "crm")

        assert result.exit_code == 2
        assert all(token["_id"] in result.output for token in before)
        assert list(database.tokens.find()) == before

    def test_an_id_has_priority_over_a_name(
        self, app: Flask, store: Store, database: Database, command: tuple[str]
    ) -> None:
        factories.token(store, _id="1", name="crm")
        factories.token(store, _id="2", name="1")

        done(app, *command, "1")

        assert database.tokens.find_one({"_id": "1"}) is None
        assert database.tokens.find_one({"_id": "2"})
