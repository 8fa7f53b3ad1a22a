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
