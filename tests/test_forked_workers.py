"""dev/forked_workers.py runs each collected test once, and reports what fails, crashes or ends badly."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.live import ROOT

# Fixtures of the tests of a worker.
SHARED = """
import pytest

@pytest.fixture(scope="session")
def ends_badly():
    yield
    raise ValueError("at the end of the session")
"""
ONE = """
import os

def test_passes(tmp_path):
    (tmp_path / "file").touch()

def test_fails():
    print("printed before the failure")
    assert False

def test_ends_the_worker():
    os._exit(3)

def test_after_the_end(ends_badly):
    pass
"""
OTHER = """
import pytest

@pytest.mark.waits
def test_waits():
    pass

@pytest.mark.skip(reason="not here")
def test_is_skipped():
    pass
"""


def test_each_test_runs_once_and_what_goes_wrong_is_reported(tmp_path: Path) -> None:
    for name, text in {"conftest": SHARED, "__init__": "", "test_one": ONE, "test_other": OTHER}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = waits\n")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "dev.forked_workers", "--workers", "1,1"]
    without = ["-p", "no:schemathesis", "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]

    ended = subprocess.run(
        [*command, *without, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 1, ended.stdout + ended.stderr
    results = re.findall(r"^\w+\.py::(\w+) (PASSED|FAILED|SKIPPED)", ended.stdout, flags=re.MULTILINE)
    assert dict(results) == {
        "test_passes": "PASSED",
        "test_fails": "FAILED",
        "test_ends_the_worker": "FAILED",
        "test_after_the_end": "PASSED",
        "test_waits": "PASSED",
        "test_is_skipped": "SKIPPED",
    }
    assert len(results) == 6
    for text in ("printed before the failure", "The worker ended with exit code 3", "at the end of the session"):
        assert text in ended.stdout
    assert "3 failed, 3 passed, 1 skipped" in ended.stdout
