"""Logging: writes one line per event to standard output, as JSON for a log drain or readable for a terminal.

The project's own lines use structlog. Lines of libraries come through the standard library's logging and get the same
format.

No line contains an exception's message: a driver's message contains values, and a value can be an e-mail address. The
line contains the exception's type, code and frames instead. For the same reason libraries log from WARNING on, also if
LOG_LEVEL is lower: below that level they log addresses, commands and replies.
"""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

JSON, CONSOLE = "json", "console"
FORMATS: Final = (JSON, CONSOLE)
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

# These loggers get a level of their own: werkzeug would lower its level otherwise, and pymongo logs whole commands.
NEVER_BELOW_WARNING: Final = ("pymongo", "werkzeug")
# Its warnings print the URL of a receiver, which may hold a secret, and what the receiver sent.
NEVER_BELOW_ERROR: Final = ("urllib3",)

# A line must stay below 4 KB, which a pipe writes atomically, so that lines of several processes do not mix. The
# innermost frames and the last causes are the most useful ones.
MAX_FRAMES: Final = 15
MAX_CAUSES: Final = 3


class StandardOutput:
    """Writes lines to the present sys.stdout, which a test may have replaced."""

    def msg(self, line: bytes) -> None:
        # A closed pipe or a full disk must not fail a request whose data are stored.
        with suppress(OSError, ValueError):
            output = sys.stdout.buffer
            output.write(line + b"\n")
            output.flush()

    debug = info = warning = error = critical = msg


class _Handler(logging.Handler):
    """Handler of the standard library's logging that writes to StandardOutput."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # a library's wrong logging call must not fail a request
            logger().error("A log line could not be formatted.", logger=record.name, exc_info=error)
            return
        StandardOutput().msg(line.encode(errors="replace"))


def configure(form: str, level: str) -> None:
    """Sets up this process's logging; can be called again.

    `form` is json, console, or empty, which means console on a terminal and JSON elsewhere. `level` is one of LEVELS.
    """
    structlog.configure(
        processors=[*_processors(form), _to_bytes],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: StandardOutput(),
        cache_logger_on_first_use=False,  # a second application in this process may have other settings
    )
    handler = _Handler()
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    _log_uncaught_exceptions()
    for library in (root, *map(logging.getLogger, NEVER_BELOW_WARNING)):
        library.setLevel(max(LEVELS[level], logging.WARNING))
    for library in map(logging.getLogger, NEVER_BELOW_ERROR):
        library.setLevel(logging.ERROR)


def _log_uncaught_exceptions() -> None:
    """Makes Python log an uncaught exception like any other. It would print the message, which may hold personal data.

    A hook that another program has set, such as a test runner, stays.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = lambda kind, error, trace: _log_uncaught(error)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda arguments: _log_uncaught(arguments.exc_value)


def _log_uncaught(error: BaseException | None) -> None:
    if not isinstance(error, KeyboardInterrupt | SystemExit):
        logger().error("uncaught", exc_info=error)


def logger() -> FilteringBoundLogger:
    """Returns a logger with the present settings of this process."""
    found: FilteringBoundLogger = structlog.get_logger().bind()
    return found


def formatter(form: str) -> logging.Formatter:
    """Returns a formatter that gives lines of the standard library's logging the project's format."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_processors(form)],
    )


def format_exception(error: BaseException) -> str:
    """Returns an exception without its message: the frames and the type of each cause, the deepest cause first."""
    return "\nled to\n".join(
        "\n".join((*_frames(each), _type_and_code(each))) for each in reversed(list(_causes(error))[:MAX_CAUSES])
    )


def _processors(form: str) -> list[Processor]:
    """Returns the processors that turn an event into a line; the last one renders the text."""
    if form == JSON or (not form and not sys.stdout.isatty()):
        render: Processor = _render_json
    else:
        render = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [structlog.processors.add_log_level, stamp, _add_exception, render]


def _add_exception(_: object, __: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = format_exception(error)
    return event


def _render_json(_: object, __: str, event: EventDict) -> str:
    try:
        return orjson.dumps(event, default=_type_name).decode()
    except orjson.JSONEncodeError:  # a library's line contains invalid Unicode
        return json.dumps(event, default=_type_name)


def _to_bytes(_: object, __: str, line: Any) -> bytes:
    text: str = line
    return text.encode(errors="replace")


def _type_name(value: object) -> str:
    """Returns the substitute for a value that JSON cannot contain."""
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
    return frames[-MAX_FRAMES:]


def _type_and_code(error: BaseException) -> str:
    kind = type(error)
    code = getattr(error, "code", None)
    return f"{kind.__module__}.{kind.__qualname__}" + (f" (code {code})" if isinstance(code, int) else "")
