"""The command line of `bin/osdi`. docs/commands.md lists its exit codes.

A command ends with a sentence on standard error instead of a traceback, if a setting, the database, a file or the
operator ends it. A traceback is an error of this program.
"""

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import click
from environs import EnvValidationError
from flask import Flask
from flask.cli import FlaskGroup, ScriptInfo

from osdi.commands.output import STANDARD_OUTPUT, printable
from osdi.commands.program.signals import INTERRUPTED, SENTENCES, TERMINATED, Terminated, end_in_order, handle_by
from osdi.version import VERSION

# Options of Flask's command line for people who write an application.
OPTIONS_OF_DEVELOPERS: Final = ("app", "debug")
FAILED: Final = 1
UNCONFIRMED: Final = "Not confirmed: nothing was changed."


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"OSDI Outreach Server {VERSION}")
        ctx.exit()


VERSION_OPTION: Final = click.Option(
    ["--version"], is_flag=True, is_eager=True, expose_value=False, help="Show the version.", callback=_show_version
)


class CommandLine(FlaskGroup):
    """The commands of the application, without those of Flask."""

    def __init__(self, create_app: Callable[[], Flask]) -> None:
        super().__init__(
            name="osdi",
            create_app=create_app,
            add_default_commands=False,
            add_version_option=False,
            load_dotenv=False,
            params=[VERSION_OPTION],
            help="Commands of the OSDI Outreach Server, with the settings of the environment.",
        )
        self.params = [each for each in self.params if each.name not in OPTIONS_OF_DEVELOPERS]

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, *arguments: Any, **options: Any
    ) -> Any:
        """Runs a command and ends the process with its exit code."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(
                    errors="backslashreplace"
                )  # else a name that the terminal cannot show ends the command
        with _signals():
            code = self._run(args, prog_name, *arguments, **(options | {"standalone_mode": False}))
        sys.exit(code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of all commands. Raises click.UsageError for invalid settings; Flask prints a traceback."""
        ctx.ensure_object(ScriptInfo).load_app()
        return super().list_commands(ctx)

    def _run(self, *arguments: Any, **options: Any) -> int:
        """Runs a command, prints the sentence with which it ends, and returns its exit code."""
        try:
            code = super().main(*arguments, **options)
        except click.ClickException as error:
            return _ended(error.exit_code, error.show)
        except click.Abort as error:
            code, sentence = _of_abort(error)
            return _ended(code, lambda: click.echo(sentence, err=True))
        except OSError as error:
            # Python would write the rest again at the end of the process, and print a traceback.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            failure = _of_system(error)
            return FAILED if error.errno == errno.EPIPE else _ended(FAILED, failure.show)
        return code if isinstance(code, int) else 0


def command_line(create_app: Callable[[], Flask]) -> CommandLine:
    """Returns the command line of `bin/osdi`."""

    def create() -> Flask:
        try:
            return create_app()
        except EnvValidationError as error:
            raise click.UsageError(printable(f"Invalid settings: {error}")) from error

    return CommandLine(create)


def _of_system(error: OSError) -> click.ClickException:
    """Returns the error of a file or connection as a sentence."""
    sentence = f"{error.strerror or str(error) or type(error).__name__}."
    if error.filename:
        sentence = f"{error.filename}: {sentence}"
    if error.filename == STANDARD_OUTPUT:
        sentence += " Changes that the command made before are kept."
    return click.ClickException(printable(sentence))


def _ended(code: int, show: Callable[[], None]) -> int:
    """Shows the sentence and returns the exit code, also if standard error cannot be written."""
    with contextlib.suppress(OSError):
        show()
    return code


def _of_abort(error: BaseException) -> tuple[int, str]:
    """Returns exit code and sentence after a signal, or after an answer that is not yes."""
    kinds = {type(each) for each in _causes(error)}
    for kind, code in ((Terminated, TERMINATED), (KeyboardInterrupt, INTERRUPTED)):
        if kind in kinds:
            return code, SENTENCES[code]
    return FAILED, UNCONFIRMED


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an exception and those during which it was raised."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Ends the command in order at the first signal, and at once at another one or once the command has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handle_by(end_in_order)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
