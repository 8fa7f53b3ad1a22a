"""Log lines: where they are written and what they look like.

Each is a line on standard output: JSON for a log drain, or readable for a terminal. Our own lines are made by
structlog, those of libraries by the standard library's logging; both have the same form.

No line contains the message of an exception: drivers put values into their messages, and a value may be an e-mail
address. A line has the type of the exception, its code and its frames instead. For the same reason libraries log from
WARNING on only, whatever LOG_LEVEL says: below that they print addresses, commands and replies.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

JSON, CONSOLE = "json", "console"
FORMATS: Final = (JSON, CONSOLE)
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

# Set by name too: these lower their own level otherwise, or are lowered by an operator who wants to see more of ours.
NEVER_BELOW_WARNING: Final = ("pymongo", "werkzeug")
# Its warnings print the URL of a receiver, which may hold a secret, and what the receiver sent.
NEVER_BELOW_ERROR: Final = ("urllib3",)

# A line stays below the 4 KB that a pipe takes whole, so those of several processes do not mix: the innermost frames
# say most, and so do the last causes.
MAXIMUM_FRAMES: Final = 15
MAXIMUM_CAUSES: Final = 3


class StandardOutput:
    """Writes lines to what is standard output at that moment; a test may have put something else there."""

    def msg(self, line: bytes) -> None:
        # A reader that went away, or a full disk, must not fail a request whose data are stored.
        with suppress(OSError, ValueError):
            output = sys.stdout.buffer
            output.write(line + b"\n")
            output.flush()

    debug = info = warning = error = critical = msg


class _Handler(logging.Handler):
    """The standard library's way to the same place."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # a library's mistake in how it logs fails nobody's request
            logger().error("A line could not be written.", logger=record.name, exc_info=error)
            return
        StandardOutput().msg(line.encode(errors="replace"))


def configure(form: str, level: str) -> None:
    """Set this process's logging up; may be repeated. `form` is json, console, or empty: JSON unless on a terminal."""
    structlog.configure(
        processors=[*_processors(form), _to_bytes],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: StandardOutput(),
        cache_logger_on_first_use=False,  # a second application of this process may be set up otherwise
    )
    handler = _Handler()
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    for library in (root, *map(logging.getLogger, NEVER_BELOW_WARNING)):
        library.setLevel(max(LEVELS[level], logging.WARNING))
    for library in map(logging.getLogger, NEVER_BELOW_ERROR):
        library.setLevel(logging.ERROR)


def logger() -> FilteringBoundLogger:
    """Returns a logger with the present configuration of this process."""
    found: FilteringBoundLogger = structlog.get_logger().bind()
    return found


def formatter(form: str) -> logging.Formatter:
    """Returns the formatter that gives lines of the standard library's logging the form of ours."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_processors(form)],
    )


def format_exception(error: BaseException) -> str:
    """Returns an exception without its message: frames and type of each cause, the deepest first."""
    return "\nled to\n".join(
        "\n".join((*_frames(each), _type_and_code(each))) for each in reversed(list(_causes(error))[:MAXIMUM_CAUSES])
    )


def _processors(form: str) -> list[Processor]:
    """Returns the processors that make a line of an event; the last one renders it as text."""
    if form == JSON or (not form and not sys.stdout.isatty()):
        render: Processor = _render_json
    else:
        render = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [structlog.processors.add_log_level, stamp, _format_exc_info, render]


def _format_exc_info(_: object, __: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = format_exception(error)
    return event


def _render_json(_: object, __: str, event: EventDict) -> str:
    try:
        return orjson.dumps(event, default=_type).decode()
    except orjson.JSONEncodeError:  # broken Unicode in a library's line
        return json.dumps(event, default=_type)


def _to_bytes(_: object, __: str, line: Any) -> bytes:
    text: str = line
    return text.encode(errors="replace")


def _type(value: object) -> str:
    """Returns the name of a type that JSON does not have."""
    return type(value).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _frames(error: BaseException) -> list[str]:
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-MAXIMUM_FRAMES:]


def _type_and_code(error: BaseException) -> str:
    kind = type(error)
    code = getattr(error, "code", None)
    return f"{kind.__module__}.{kind.__qualname__}" + (f" (code {code})" if isinstance(code, int) else "")
