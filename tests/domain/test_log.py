"""How a failure is told: what went where, and never its message."""

from osdi.log import MAXIMUM_CAUSES, MAXIMUM_FRAMES, format_exception

MARKER = "jane-marker"


class Refused(Exception):
    """As a driver's errors are: with a code, and with the value in its message."""

    code = 11000


def caught(raising: object) -> Exception:
    try:
        raising()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def refuse() -> None:
    raise Refused(MARKER)


def test_the_frames_lead_to_the_type_and_its_code() -> None:
    lines = format_exception(caught(refuse)).splitlines()

    assert [line.rsplit(":", 1)[0] for line in lines[:-1]] == ["tests.domain.test_log"] * 2
    assert lines[1].endswith(" refuse")
    assert lines[-1] == "tests.domain.test_log.Refused (code 11000)"


def test_a_cause_comes_before_what_it_led_to() -> None:
    def translate() -> None:
        try:
            refuse()
        except Refused as error:
            raise LookupError(MARKER) from error

    said = format_exception(caught(translate))

    cause, effect = said.split("\nled to\n")
    assert cause.endswith("Refused (code 11000)")
    assert effect.endswith("builtins.LookupError")
    assert MARKER not in said


def test_what_was_suppressed_is_not_told() -> None:
    def hide() -> None:
        try:
            refuse()
        except Refused:
            raise LookupError from None

    assert "Refused" not in format_exception(caught(hide))


def test_an_endless_recursion_is_told_by_its_innermost_frames() -> None:
    def deeper() -> None:
        deeper()

    lines = format_exception(caught(deeper)).splitlines()

    assert len(lines) == MAXIMUM_FRAMES + 1
    assert lines[0].endswith(" deeper")


def test_of_many_causes_the_last_are_told() -> None:
    error: Exception | None = None
    for number in range(3 * MAXIMUM_CAUSES):
        following = type(f"Number{number}", (Exception,), {})()
        following.__cause__ = error
        error = following

    assert error is not None
    told_types = [part.rsplit(".", 1)[1] for part in format_exception(error).split("\nled to\n")]
    assert told_types == [f"Number{number}" for number in range(2 * MAXIMUM_CAUSES, 3 * MAXIMUM_CAUSES)]
