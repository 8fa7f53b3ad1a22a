"""The version number is in one place, and each part that states a version states this one."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from app import create_app
from osdi.commands.program.command_line import command_line
from osdi.commands.register import COMMANDS
from osdi.http_client.post import USER_AGENT
from osdi.importing import osdi_client
from osdi.version import VERSION

ROOT = Path(__file__).parents[1]


def test_it_follows_semantic_versioning() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_changelog_has_a_section_for_it() -> None:
    assert re.search(rf"^## {re.escape(VERSION)}\b", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)


def test_the_package_reads_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "osdi.version.VERSION"}


def test_the_openapi_document_states_it() -> None:
    assert json.loads((ROOT / "openapi.json").read_text())["info"]["version"] == VERSION


@pytest.mark.parametrize("agent", [USER_AGENT, osdi_client.USER_AGENT])
def test_requests_to_other_servers_state_it(agent: str) -> None:
    assert agent == f"OSDI-Outreach-Server/{VERSION}"


class TestTheCommandLine:
    """`bin/osdi`, without the script around it."""

    def test_states_the_version(self) -> None:
        result = CliRunner().invoke(command_line(create_app), ["--version"])

        assert result.output == f"OSDI Outreach Server {VERSION}\n"

    def test_lists_our_commands_and_none_of_a_developer(self, app: Flask) -> None:
        result = CliRunner().invoke(command_line(lambda: app), ["--help"], prog_name="osdi")

        listed = set(re.findall(r"^  ([a-z-]+)  ", result.output.partition("Commands:")[2], flags=re.MULTILINE))
        assert listed == {*COMMANDS, "openapi"}
        assert "--debug" not in result.output

    def test_names_an_invalid_setting_in_a_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NAMESPACE", "Not one")

        result = CliRunner().invoke(command_line(create_app), ["tokens", "list"], prog_name="osdi")

        assert result.exit_code == 2
        assert "NAMESPACE: Use 1 to 50 lower-case letters" in result.stderr
        assert "Traceback" not in result.output

    def test_reads_the_settings_of_a_file_and_not_those_of_where_it_is_called(self, tmp_path: Path) -> None:
        (tmp_path / "settings").write_text("NAMESPACE='Not one'\n")
        (tmp_path / ".env").write_text("NAMESPACE='another'\n")
        command = [sys.executable, str(ROOT / "app.py"), "--env-file", "settings", "tokens", "list"]

        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

        assert (ended.returncode, "NAMESPACE" in ended.stderr) == (2, True)
