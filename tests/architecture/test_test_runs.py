"""`make test` leaves out the slow tests and says so; CI, `make check` and `make test-all` leave out none."""

import re
import subprocess
from pathlib import Path

import pytest

from dev import run_tests

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

def test_plain(): pass

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.waits
def test_waits(): pass

@pytest.mark.slow
@pytest.mark.waits
def test_slow_and_waits(): pass
"""


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options of pytest for a suite of four tests, without the plugins that this one needs."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow\n    waits\n")
    (tmp_path / "test_four.py").write_text(TESTS)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(run_tests, "WAITING_WORKERS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    return [str(tmp_path), "-p", "xdist", "-p", "tests.fixtures.left_out", "-p", "no:cacheprovider"]


def test_make_test_says_how_many_tests_it_leaves_out(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tests.main(options) == 0

    *_, left_out, closing = capsys.readouterr().out.splitlines()
    assert left_out == "2 tests marked slow were left out. CI runs them, and so does: make test-all"
    assert re.search("^=+ 2 passed in .*=+$", closing)


def test_make_test_all_runs_each_test_once(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tests.main(["--all", *options]) == 0

    printed = capsys.readouterr().out
    assert "left out" not in printed
    assert re.search("^=+ 4 passed in .*=+$", printed.splitlines()[-1])
    runs = [Path(log).read_text() for log in re.findall(r"\((\S+\.log)\)", printed)]
    names = [name for text in runs for name in re.findall(r"PASSED \S+::(\w+)", text)]
    assert sorted(names) == ["test_plain", "test_slow", "test_slow_and_waits", "test_waits"]


@pytest.mark.parametrize(("command", "arguments"), [("test", ""), ("test-all", "--all"), ("check", "--all --coverage")])
def test_a_command_of_make_runs_all_tests_or_not(command: str, arguments: str) -> None:
    printed = subprocess.run(
        ["make", "--dry-run", command], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert [" ".join(each.split()) for each in re.findall(r"-m dev\.run_tests(.*)", printed)] == [arguments]


def test_ci_runs_all_tests_last() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()

    assert [line for line in lines if line.startswith("make test")] == ["make test-all"]
    assert lines[-1] == "make test-all"


@pytest.mark.one_in(3)
@pytest.mark.parametrize("number", range(7))
def test_each_third_case_of_a_check_is_not_slow(number: int, request: pytest.FixtureRequest) -> None:
    assert (request.node.get_closest_marker("slow") is None) == (number in (0, 3, 6))
