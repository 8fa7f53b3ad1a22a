"""All commands load on demand, need a database server, and print no control characters."""

import json
import sys
import unicodedata
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name, walk_packages
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from app import create_app
from osdi.access.tokens import new_token
from osdi.commands.output import destination, one_line, printable, printable_json
from osdi.commands.register import COMMANDS
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client

ROOT = Path(__file__).parents[2]
# Sets the title of a terminal, rings, begins a sequence by one character, and reverses what follows.
HOSTILE = "Eve\x1b]0;owned\x07\x9b31m\u202e\u2066\u2028\x7f"


def run(app: Flask, *arguments: str, answer: str = "n\n") -> Result:
    """Returns the result of a command that prints to a terminal, so that click removes nothing."""
    return app.test_cli_runner().invoke(args=arguments, input=answer, color=True)


def controls(text: str) -> set[str]:
    """The characters of a text that a terminal may act on, but line feeds."""
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs") and each != "\n"}


def modules_of(package: str) -> Iterator[ModuleType]:
    """Yields the modules of a package, those in its folders too."""
    for each in walk_packages(import_module(package).__path__, f"{package}."):
        yield import_module(each.name)


def commands_of(*modules: ModuleType) -> Iterator[click.Command]:
    """Yields the commands that are names of these modules."""
    for module in modules:
        yield from (each for each in vars(module).values() if isinstance(each, click.Command))


class TestLoading:
    def test_help_lists_every_command_with_a_line_that_fits(self, app: Flask) -> None:
        output = run(app, "--help").output

        lines = {line.split()[0]: line.strip() for line in output.partition("Commands:")[2].splitlines() if line}
        assert {*COMMANDS, "openapi"} <= lines.keys()
        assert [line for name, line in lines.items() if name in COMMANDS and not line.endswith(".")] == []
        assert [line for name, line in lines.items() if line.endswith("...")] == []

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    def test_each_has_the_name_by_which_it_is_called_and_its_own_help(self, app: Flask, name: str) -> None:
        command = app.cli.get_command(click.Context(app.cli), name)

        assert command is not None
        assert command.name == name
        assert run(app, name, "--help").exit_code == 0

    def test_every_command_that_a_module_defines_can_be_called(self) -> None:
        defined = set(commands_of(*modules_of("osdi.commands")))
        called = {resolve_name(f"osdi.commands.{place}") for place in COMMANDS.values()}
        subcommands = {each for group in defined if isinstance(group, click.Group) for each in group.commands.values()}

        assert {each.name for each in defined - subcommands - called} == set()

    def test_an_unknown_command_is_rejected(self, app: Flask) -> None:
        assert "No such command 'retain'" in run(app, "retain").output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_only_preparing_the_database_works_in_memory(name: str, tmp_path: Path) -> None:
    app = create_app(Settings(mongodb_uri="mongomock://"))
    (tmp_path / "file.csv").write_text("email\na@example.com\n")
    arguments = {
        "allow-reimport": ["x"],
        "backup": ["x"],
        "erase-person": ["x"],
        "export": ["people"],
        "export-person": ["x"],
        "import": ["people", str(tmp_path / "file.csv")],
        "merge": ["x", "y"],
        "restore": [str(tmp_path / "file.csv")],
        "staff": ["list"],
        "tokens": ["list"],
        "webhooks": ["list"],
    }

    result = run(app, name, *arguments.get(name, []))

    if name in ("release", "indexes"):
        assert result.exit_code == 0
    else:
        assert (result.exit_code, "another process cannot reach data in memory" in result.output) == (2, True)


class TestControlCharacters:
    """Posted and imported text cannot control the operator's terminal."""

    @pytest.fixture
    def people(self, api: Client) -> list[str]:
        """The ids of two people with a hostile name, who share a phone number."""
        ids = []
        for number in range(2):
            person = factories.person(
                given_name=HOSTILE,
                family_name=HOSTILE,
                email_addresses=[{"address": f"{number}@example.com"}],
                phone_numbers=[{"number": "12025550123"}],
                custom_fields={HOSTILE: HOSTILE},
            )
            created = api.created("/people", person)
            ids.append(created["_links"]["self"]["href"].rsplit("/", 1)[1])
        return ids

    @pytest.fixture
    def tokens(self, store: Store) -> str:
        """The id of a token with a hostile name; the command would not create it, so it is stored directly."""
        _, token = new_token(HOSTILE)
        store.write(Insert(TOKENS, token))
        return str(token["_id"])

    @pytest.mark.parametrize(
        ("arguments", "shows"),
        [
            (["duplicates"], "Eve"),
            (["merge", "{0}", "{1}"], "Eve"),
            (["export-person", "{0}"], "Eve"),
            (["erase-person", "{0}"], "Eve"),
            (["erase-person", "12025550123"], "2 people found"),
            (["tokens", "list"], "Eve"),
            (["tokens", "revoke", "{2}"], "Revoke token 'Eve"),
            (["tokens", "rotate", HOSTILE], "Eve"),
            (["tokens", "revoke", f"no{HOSTILE}"], "No token has the name or id 'noEve"),
            (["export", "people", "--filter", f"given_name eq {HOSTILE}"], "Column"),
            (["merge", "{0}", HOSTILE], "No person has the id 'Eve"),
        ],
        ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
    )
    def test_are_removed_from_stored_text(
        self, app: Flask, people: list[str], tokens: str, arguments: list[str], shows: str
    ) -> None:
        result = run(app, *(each.format(*people, tokens) if "{" in each else each for each in arguments))

        assert shows in result.output
        assert controls(result.output) == set()

    @pytest.mark.parametrize(
        ("name", "content", "shows"),
        [
            ("people.csv", f"email,{HOSTILE}\na@example.com,x\n", "custom_fields.Eve"),
            ("people.csv", f"{HOSTILE}\nx\n", "All columns are unknown: Eve"),
            ("people.csv", f"email,{HOSTILE}\na@example.com,1,2\n", "There are 3 cells,"),
            (
                "people.ndjson",
                json.dumps({"custom_fields": {HOSTILE: {"a": 1}}, "identifiers": ["crm:1"]}),
                "custom_fields.Eve",
            ),
            ("people.ndjson", json.dumps({"given_name": "A", "identifiers": ["crm:1"], "parties": HOSTILE}), "parties"),
        ],
    )
    def test_are_removed_from_imported_text(
        self, app: Flask, api: Client, tmp_path: Path, name: str, content: str, shows: str
    ) -> None:
        file = tmp_path / name
        file.write_text(content, newline="")

        result = run(app, "import", "people", str(file))

        assert shows in result.output
        assert controls(result.output) == set()

    def test_an_exported_person_has_the_same_value(self, app: Flask, people: list[str], database: Database) -> None:
        result = run(app, "export-person", people[0])

        assert json.loads(result.output)["person"]["given_name"] == database.people.find_one()["given_name"]

    def test_an_export_to_a_terminal_shows_none_and_one_to_a_pipe_is_the_data(
        self, app: Flask, people: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        piped = run(app, "export", "people").stdout_bytes.decode()
        assert "\u202e" in piped

        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        with destination(None) as file:
            file.write(piped.encode())

        shown = capsys.readouterr().out
        assert len(shown.splitlines()) == len(piped.split("\r\n")) - 1
        assert controls(shown) == set()

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("two\nlines\tand a tab", "two\nlines\tand a tab"),
            ("Zoë, 李, עדי, نازنین‌زهرا, 👩‍🚀", "Zoë, 李, עדי, نازنین‌زهرا, 👩‍🚀"),
            ("\x00\x08\r\x1b\x7f\x80\x9b\x9f", "????????"),
            ("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "?????????"),
            ("\u2028\u2029\ud83d", "???"),
        ],
    )
    def test_are_shown_as_question_marks(self, text: str, shown: str) -> None:
        assert printable(text) == shown

    def test_one_line_has_no_line_feeds_and_is_shortened(self) -> None:
        assert one_line("a\nb\tc\x1b") == "a?b?c?"
        assert one_line("x" * 11, 10) == "xxxxxxx..."
        assert one_line("x" * 10, 10) == "x" * 10

    def test_are_escaped_in_json(self) -> None:
        written: Any = {"a": "\x9b\u202e\x7f\u2028"}
        text = json.dumps(written, ensure_ascii=False)

        assert controls(text)
        assert not controls(printable_json(text))
        assert json.loads(printable_json(text)) == written
