"""Every command with arguments, and a run of it in this process as `bin/osdi` runs it."""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import IO, Any, Final

import click
import pytest
from flask import Flask

from osdi.commands.program.command_line import command_line
from osdi.commands.register import COMMANDS

# Confirms the restore, which asks for the name of the database.
INPUT: Final = "osdi\n"
# Options that spare a question or a wait.
ALWAYS: Final = ("yes", "once", "replace")


@dataclass(frozen=True)
class Ended:
    """Exit code and output of a command; `raised` is the exception that would print a traceback."""

    code: int
    out: str
    err: str
    raised: BaseException | None = None


def commands() -> dict[str, click.Command]:
    """Returns every command by its words, such as `tokens list`, without the groups that only show their help."""
    found: dict[str, click.Command] = {}
    for name, place in COMMANDS.items():
        found |= _below(name, resolve_name(f"osdi.commands.{place}"))
    return found


def _below(name: str, command: click.Command) -> dict[str, click.Command]:
    found = {} if isinstance(command, click.Group) and not command.invoke_without_command else {name: command}
    if isinstance(command, click.Group):
        for inner, each in command.commands.items():
            found |= _below(f"{name} {inner}", each)
    return found


def arguments(name: str, values: Mapping[str, Any]) -> list[str]:
    """Returns the words of a command and a value for each argument: that of name and parameter, or of the parameter.

    A value of a list is a list of words. An argument that may be missing is left out if it has no value.
    """
    return [*name.split(), *_arguments(name, values)]


def _arguments(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    for parameter in commands()[name].params:
        value = values.get(f"{name} {parameter.name}", values.get(parameter.name or ""))
        if parameter.name in ALWAYS:
            yield parameter.opts[0]
        elif isinstance(parameter, click.Argument) and (value is not None or parameter.required):
            yield from map(str, value if isinstance(value, list) else [value or _any(parameter.type)])


def _any(kind: click.ParamType) -> str:
    return str(next(iter(kind.choices))) if isinstance(kind, click.Choice) else "x"


def run(app: Flask, *arguments: str, stdout: Path | None = None) -> Ended:
    """Runs a command in this process, with standard streams of its own; `stdout` is a file or device."""
    out, err = _Stream(), _Stream()
    code, raised = 0, None
    opened: IO[str] = stdout.open("w") if stdout else out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(INPUT.encode())))
        patch.setattr(sys, "stdout", opened)
        patch.setattr(sys, "stderr", err)
        try:
            command_line(lambda: app).main(list(arguments), prog_name="osdi")
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException as error:  # the interpreter would print it as a traceback
            raised = error
        if sys.stdout is not opened:  # the program has replaced what it could not write
            sys.stdout.close()
    if stdout:
        _close(opened)
    return Ended(code, out.text, err.text, raised)


def _close(file: IO[str]) -> None:
    """Closes a file, whose device does not take what is left to write."""
    with Path(os.devnull).open("w") as null:
        os.dup2(null.fileno(), file.fileno())
    file.close()


class _Stream(io.TextIOWrapper):
    """A standard stream in memory."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        buffer: Any = self.buffer
        return str(buffer.getvalue().decode())
