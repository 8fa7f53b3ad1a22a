"""The operator's commands, and what their tokens may do."""

import pytest
from flask import Flask
from pymongo.database import Database

from tests import factories
from tests.client import Client


def create(app: Flask, *arguments: str) -> str:
    """The token that the command prints, alone on its last line."""
    result = app.test_cli_runner().invoke(args=["tokens", "create", *arguments])
    assert result.exit_code == 0, result.output
    return str(result.output).splitlines()[-1]


def test_a_created_token_works(app: Flask, api: Client) -> None:
    token = create(app, "crm sync")

    assert api.record(factories.outreach(), token=token).json["type"] == "phone"


@pytest.mark.parametrize(("scope", "reads", "writes"), [("read", 200, 403), ("write", 403, 200), ("admin", 200, 200)])
def test_a_token_does_what_its_scope_says(
    app: Flask, api: Client, database: Database, scope: str, reads: int, writes: int
) -> None:
    token = create(app, "sync", "--scope", scope)

    assert api.get("/people", token=token).status_code == reads
    assert api.record(factories.outreach(), token=token).status_code == writes
    assert database.outreaches.count_documents({}) == (writes == 200)


def test_an_unknown_scope_is_refused(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["tokens", "create", "x", "--scope", "everything"])

    assert result.exit_code != 0


def test_indexes_and_sample_can_be_repeated(app: Flask, database: Database) -> None:
    runner = app.test_cli_runner()
    for command in ("indexes", "sample", "indexes", "sample"):
        assert runner.invoke(args=[command]).exit_code == 0

    assert database.advocacy_campaigns.count_documents({}) == 1
    assert database.questions.count_documents({}) == 2


class TestATokenOfAPerson:
    """What the holder of a token creates and changes says whose token it was."""

    def test_is_named_as_creator_and_last_editor(self, app: Flask, api: Client) -> None:
        editor = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
        token = create(app, "jane", "--person", editor.rsplit("/", 1)[1])
        other = Client(app.test_client(), token)

        tag = other.created("/tags", {"name": "one"})
        person = other.created("/people", factories.person())
        mine = api.created("/lists", {"name": "two"})
        changed = other.put(mine["_links"]["self"]["href"], {"title": "Two"}).json

        assert tag["_links"]["osdi:creator"]["href"] == tag["_links"]["osdi:modified_by"]["href"] == editor
        assert person["_links"]["osdi:modified_by"]["href"] == editor
        assert "osdi:creator" not in mine["_links"]
        assert changed["_links"]["osdi:modified_by"]["href"] == editor
        assert api.follow(changed, "osdi:modified_by")["_links"]["self"]["href"] == editor
        for relation in (*tag["_links"], *person["_links"]):
            if relation.startswith("osdi:"):
                assert api.http.get(f"/docs/v1/{relation.removeprefix('osdi:')}").status_code == 200, relation

    def test_has_to_be_somebody(self, app: Flask, database: Database) -> None:
        result = app.test_cli_runner().invoke(args=["tokens", "create", "x", "--person", "nobody"])

        assert result.exit_code != 0
        assert database.tokens.count_documents({}) == 0
