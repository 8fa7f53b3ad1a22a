"""Adds the operator's commands to `bin/osdi`, and gives each command what it works with.

The module of a command is imported when the command runs, so a web process loads none of them.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pkgutil import resolve_name
from typing import Concatenate, Final, ParamSpec, TypeVar

import click
from flask import Flask
from flask.cli import AppGroup

from osdi.commands.output import echo, printable
from osdi.crud.reference_cache import Reference
from osdi.documents import LoadBody
from osdi.errors import DatabaseUnavailable, OsdiError, WriteConflict
from osdi.operations.readiness import require_prepared, wait_for_database
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.driver import MOCK, NotAuthorized, database_hosts

# The name of each command, and its module and function in this folder.
COMMANDS: Final[Mapping[str, str]] = {
    "allow-reimport": "privacy:allow_reimport",
    "apply-retention": "privacy:apply_retention",
    "backup": "backup:backup",
    "duplicates": "duplicates:list_duplicates",
    "erase-person": "privacy:erase_person",
    "export": "export:export",
    "export-person": "privacy:export_person",
    "followups": "followups:followups",
    "import": "imports.files:imports",
    "indexes": "release:indexes",
    "merge": "duplicates:merge",
    "recount": "release:recount",
    "release": "release:release",
    "restore": "backup:restore",
    "sample": "release:sample",
    "staff": "staff:staff",
    "tokens": "tokens:tokens",
    "webhooks": "webhooks:webhooks",
    "worker": "worker:worker",
}
KEY: Final = "osdi.commands"

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


@dataclass(frozen=True)
class CommandContext:
    """The parts of the application that commands work with."""

    settings: Settings
    store: Store
    reference: Reference
    load_body: LoadBody


class LazyCommands(AppGroup):
    """The commands of an application, those of `COMMANDS` included; these are imported when click asks for them."""

    def __init__(self, app: Flask, context: CommandContext) -> None:
        super().__init__(app.name, commands=app.cli.commands)
        self._context = context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        ctx.meta[KEY] = self._context
        found: click.Command = resolve_name(f"{__package__}.{COMMANDS[cmd_name]}")
        return found


def register_commands(app: Flask, context: CommandContext) -> None:
    """Adds the commands to the application's command line, beside those that are there."""
    app.cli = LazyCommands(app, context)


def database_command(
    *, in_memory: bool = False, prepared: bool = True, wait_seconds: float = 0
) -> Callable[[Callable[Concatenate[CommandContext, Parameters], Returned]], Callable[Parameters, Returned]]:
    """Returns a decorator for the function of a command, which passes the CommandContext as the first argument.

    An OsdiError, such as a database that does not respond, ends the command with its message, not a traceback, and
    control characters are removed from every message. Unless `in_memory`, the command is rejected for a database in
    memory: that memory belongs to one process, so the command would see and change nothing of another one. If
    `prepared`, it is rejected for a database without our unique indexes. With `wait_seconds` it waits so long for a
    database that does not respond, and says so.
    """

    def decorate(
        function: Callable[Concatenate[CommandContext, Parameters], Returned],
    ) -> Callable[Parameters, Returned]:
        @functools.wraps(function)
        def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> Returned:
            current = click.get_current_context()
            context: CommandContext = current.meta[KEY]
            if current.invoked_subcommand is not None:  # a group, which leaves everything to its command
                return function(context, *arguments, **options)
            if context.store.in_memory and not in_memory:
                raise click.UsageError(f"MONGODB_URI is {MOCK}: another process cannot reach data in memory.")
            try:
                if wait_seconds:
                    wait_for_database(context.store, wait_seconds, partial(echo, err=True))
                if prepared:
                    require_prepared(context.store)
                return function(context, *arguments, **options)
            except (OsdiError, WriteConflict) as error:
                raise click.ClickException(printable(_sentence(error, context.settings))) from error
            except click.ClickException as error:
                error.message = printable(error.message)  # type: ignore[misc]  # no other way keeps the exception
                raise

        return run

    return decorate


def _sentence(error: OsdiError | WriteConflict, settings: Settings) -> str:
    """Returns the message of an error; if the database does not respond, with its address."""
    if isinstance(error, DatabaseUnavailable | NotAuthorized):
        return f"{error} The address in MONGODB_URI is {database_hosts(settings.mongodb_uri)}."
    return str(error)
