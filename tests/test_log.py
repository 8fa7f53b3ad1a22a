"""The log of an exception has frames, type and code, but not the message."""

import subprocess
import sys

import pytest

from osdi.log import MAX_CAUSES, MAX_FRAMES, format_exception

MARKER = "jane-marker"


class Rejected(Exception):
    """Like a driver's error: it has a code, and a value in its message."""

    code = 11000


def caught(raising: object) -> Exception:
    try:
        raising()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def reject() -> None:
    raise Rejected(MARKER)


def test_the_frames_are_followed_by_type_and_code() -> None:
    lines = format_exception(caught(reject)).splitlines()

    assert [line.rsplit(":", 1)[0] for line in lines[:-1]] == ["tests.test_log"] * 2
    assert lines[1].endswith(" reject")
    assert lines[-1] == "tests.test_log.Rejected (code 11000)"


def test_a_cause_comes_before_its_effect() -> None:
    def translate() -> None:
        try:
            reject()
        except Rejected as error:
            raise LookupError(MARKER) from error

    text = format_exception(caught(translate))

    cause, effect = text.split("\nled to\n")
    assert cause.endswith("Rejected (code 11000)")
    assert effect.endswith("builtins.LookupError")
    assert MARKER not in text


def test_a_suppressed_cause_is_left_out() -> None:
    def hide() -> None:
        try:
            reject()
        except Rejected:
            raise LookupError from None

    assert "Rejected" not in format_exception(caught(hide))


def test_only_the_innermost_frames_are_logged() -> None:
    def deeper() -> None:
        deeper()

    lines = format_exception(caught(deeper)).splitlines()

    assert len(lines) == MAX_FRAMES + 1
    assert lines[0].endswith(" deeper")


def test_only_the_last_causes_are_logged() -> None:
    error: Exception | None = None
    for number in range(3 * MAX_CAUSES):
        following = type(f"Number{number}", (Exception,), {})()
        following.__cause__ = error
        error = following

    assert error is not None
    types = [part.rsplit(".", 1)[1] for part in format_exception(error).split("\nled to\n")]
    assert types == [f"Number{number}" for number in range(2 * MAX_CAUSES, 3 * MAX_CAUSES)]


UNCAUGHT = """
import threading
from osdi import log

log.configure("json", "info")


def fail() -> None:
    try:
        raise ValueError("jane-" + "marker")
    except ValueError as error:
        raise LookupError("jane-" + "marker") from error


{call}
"""


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("fail()", id="in the main thread"),
        pytest.param("thread = threading.Thread(target=fail); thread.start(); thread.join()", id="in another thread"),
    ],
)
def test_an_uncaught_exception_is_logged_without_its_message(call: str) -> None:
    code = UNCAUGHT.format(call=call)

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert MARKER not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert '"event":"uncaught"' in done.stdout
    assert "builtins.LookupError" in done.stdout
