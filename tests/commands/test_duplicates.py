"""The operator's commands `duplicates` and `merge`."""

from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from osdi.people import merge
from tests.support import factories
from tests.support.client import Client

JANE = {"given_name": "Jane", "family_name": "Doe", "postal_addresses": [{"postal_code": "10011"}]}


def run(app: Flask, *arguments: str, stdin: str | None = None) -> Result:
    """Runs a command and returns its result."""
    return app.test_cli_runner().invoke(args=arguments, input=stdin)


def id_of(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"]).rsplit("/", 1)[1]


def person(api: Client, **fields: Any) -> str:
    return id_of(api.created("/people", factories.person(**{**JANE, **fields})))


class TestDuplicates:
    """Prints who is probably one, group by group."""

    def test_reports_none(self, app: Flask, api: Client) -> None:
        person(api)

        assert "No duplicates found." in run(app, "duplicates").output

    def test_prints_each_on_a_line(self, app: Flask, api: Client) -> None:
        people = [person(api, email_addresses=[{"address": f"{name}@example.com"}]) for name in "ab"]

        lines = run(app, "duplicates").output.splitlines()

        assert len(lines) == 3
        for person_id, line, address in zip(people, lines[1:], ("a@example.com", "b@example.com"), strict=True):
            assert line.split()[:5] == ["1", "name_and_postal_code", person_id, "Jane", "Doe"]
            assert f"{address}  " in line

    def test_limits_the_output_and_prints_the_next_command(self, app: Flask, api: Client) -> None:
        people = [[person(api, given_name=name) for _ in range(2)] for name in ("Jane", "Joan", "Jo")]

        output = run(app, "duplicates", "--limit", "2").output
        command = output.splitlines()[-1].removeprefix("There may be more: ").split()
        rest = run(app, "duplicates", *command).output

        assert people[1][1] in output
        assert people[2][0] not in output
        assert people[2][0] in rest
        assert people[1][1] not in rest
        assert "There may be more" not in rest

    def test_posted_control_characters_do_not_move_the_cursor(self, app: Flask, api: Client) -> None:
        for _ in range(2):
            person(api, family_name="Doe\x1b[2J\n")

        output = run(app, "duplicates").output

        assert "\x1b" not in output
        assert len(output.splitlines()) == 3


class TestMerge:
    """Shows both, asks, and merges."""

    @pytest.fixture
    def two(self, api: Client) -> tuple[str, str]:
        return (
            person(api, email_addresses=[{"address": "a@example.com"}]),
            person(api, email_addresses=[{"address": "b@example.com", "status": "unsubscribed"}], source="web"),
        )

    def test_merges_after_a_yes(self, app: Flask, api: Client, two: tuple[str, str]) -> None:
        api.recorded(factories.by_email("b@example.com"))

        result = run(app, "merge", *two, stdin="y\n")

        assert result.exit_code == 0, result.output
        lines = [line.split() for line in result.output.splitlines()]
        for line in (
            ["id", *two],
            ["name", "Jane", "Doe", "Jane", "Doe"],
            ["e-mail", "a@example.com", "b@example.com"],
            ["status", "b@example.com", "unsubscribed"],
            ["outreaches", "0", "1"],
        ):
            assert line in lines
        assert api.get(f"/people/{two[1]}").headers["Location"].endswith(two[0])

    def test_does_not_merge_after_a_no(self, app: Flask, api: Client, two: tuple[str, str]) -> None:
        result = run(app, "merge", *two, stdin="n\n")

        assert result.exit_code == 1
        assert [api.get(f"/people/{each}").status_code for each in two] == [200, 200]

    def test_merges_without_asking(self, app: Flask, api: Client, two: tuple[str, str]) -> None:
        result = run(app, "merge", "--yes", *two)

        assert (result.exit_code, result.output.splitlines()[-1]) == (
            0,
            f"Merged {two[1]} into {two[0]}. A copy stays in merged_people for 30 days.",
        )

    def test_a_repeat_completes_the_merge(
        self, app: Flask, api: Client, database: Database, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api.recorded(factories.by_email("b@example.com"))
        with monkeypatch.context() as patched:
            patched.setattr(merge, "move_outreaches", lambda *_: 0)
            run(app, "merge", "--yes", *two)
        assert database.outreaches.find_one()["person_id"] == two[1]

        result = run(app, "merge", *two)

        assert result.exit_code == 0
        assert result.output == f"Already merged into {two[0]}. All steps of the merge are complete.\n"
        assert database.outreaches.find_one()["person_id"] == two[0]

    def test_the_reverse_merge_names_the_survivor(self, app: Flask, api: Client, two: tuple[str, str]) -> None:
        run(app, "merge", "--yes", *two)

        result = run(app, "merge", *reversed(two))

        assert (result.exit_code, result.output) == (
            0,
            f"Already merged into {two[0]}. All steps of the merge are complete.\n",
        )

    def test_rejects_before_it_asks_for_confirmation(self, app: Flask, api: Client, two: tuple[str, str]) -> None:
        third = person(api)
        run(app, "merge", "--yes", *two)

        result = run(app, "merge", third, two[1], stdin="y\n")

        assert (result.exit_code, result.output) == (
            1,
            f"Error: This person was merged into {two[0]}; use that id instead.\n",
        )

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            (("<first>", "nobody"), 2, "No person has the id 'nobody'"),
            (("nobody", "<first>"), 2, "No person has the id 'nobody'"),
            (("<first>", "<first>"), 1, "cannot be merged into themselves"),
        ],
    )
    def test_rejects_an_unknown_person(
        self, app: Flask, api: Client, two: tuple[str, str], arguments: tuple[str, ...], status: int, message: str
    ) -> None:
        named = [each.replace("<first>", two[0]) for each in arguments]

        result = run(app, "merge", "--yes", *named)

        assert result.exit_code == status
        assert message in result.output
