"""Commands of the operator: `flask --app wsgi release`, `indexes`, `sample`, `recount`, and those of other modules."""

import functools
from collections.abc import Callable
from typing import Any

import click
from flask import Flask

from osdi.commands.backup import backup_command, restore_command
from osdi.commands.duplicates import duplicates_command, merge_command
from osdi.commands.export import export_command
from osdi.commands.followups import followup_commands
from osdi.commands.import_files import import_commands
from osdi.commands.privacy import privacy_commands
from osdi.commands.tokens import token_commands
from osdi.commands.webhooks import webhook_commands
from osdi.commands.worker import worker_command
from osdi.crud.reference_cache import Reference
from osdi.crud.totals_store import recount as count_anew
from osdi.errors import OsdiError, WriteConflict
from osdi.importing.importer import Loaders
from osdi.operations.migrations import migrate
from osdi.operations.readiness import wait_until_it_answers
from osdi.privacy.tombstones import erased_in
from osdi.sample import create_sample
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.driver import MOCK


def register_commands(app: Flask, store: Store, reference: Reference, settings: Settings, loaders: Loaders) -> None:
    """Add the commands to the application's flask command."""

    waiting = click.option(
        "--wait",
        "seconds",
        type=click.FloatRange(0, 3600),
        default=60,
        show_default=True,
        help="How long to wait for the database, in seconds.",
    )

    @click.command("indexes")
    @waiting
    def create_indexes(seconds: float) -> None:
        """Create the database's indexes, which is a part of `release`; safe to repeat."""
        wait_until_it_answers(store, seconds, functools.partial(click.echo, err=True))
        names = store.create_indexes()
        click.echo(f"{len(names)} indexes are there: {', '.join(names)}")

    @click.command("release")
    @waiting
    def release(seconds: float) -> None:
        """Migrate the database to what this program needs and create its indexes; safe to repeat and to run twice.

        The release step of a deployment, before the new program serves.
        """
        wait_until_it_answers(store, seconds, functools.partial(click.echo, err=True))
        version = migrate(store, settings.match_key_rules, click.echo)
        names = store.create_indexes()
        click.echo(f"The database has schema_version {version} and {len(names)} indexes.")

    @click.command("sample")
    def sample() -> None:
        """Create the campaign, tags, list and questions that the standard's examples name; safe to repeat."""
        for line in create_sample(store, settings.namespace):
            click.echo(line)

    @click.command("recount")
    def recount() -> None:
        """Count every campaign's outreaches anew, should a number ever be doubted."""
        click.echo(f"{count_anew(store)} campaigns will be counted when they are read next.")

    needing_a_server = (
        *(sample, recount, token_commands(store, settings), followup_commands(store)),
        *(webhook_commands(store, settings), worker_command(store, reference, settings)),
        *(export_command(store, settings), backup_command(store, settings), restore_command(store, settings)),
        import_commands(settings, loaders, erased_in),
        *privacy_commands(store, settings),
        *(duplicates_command(store), merge_command(store, settings)),
    )
    for command in (create_indexes, release, *needing_a_server):
        _tell_refusals(command)
        app.cli.add_command(command)
    # A release step may run whatever the database is; in memory there is nothing for it to do.
    if settings.mongodb_uri.startswith(MOCK):
        for command in needing_a_server:
            _around(command, _refuse_memory)


def _around(command: click.Command, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Wrap what the command does, and what the commands of a group do."""
    if command.callback is not None:
        command.callback = wrap(command.callback)
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _around(each, wrap)


def _tell_refusals(command: click.Command) -> None:
    """Let it end with the sentence of an OsdiError, such as that the database is away, instead of a traceback."""

    def wrap(done: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(done)
        def telling(*arguments: Any, **options: Any) -> Any:
            try:
                return done(*arguments, **options)
            except (OsdiError, WriteConflict) as error:
                raise click.ClickException(str(error)) from error

        return telling

    _around(command, wrap)


def _refuse_memory(_: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> None:
        raise click.UsageError(
            f"MONGODB_URI is {MOCK}: that memory is each process's own, so nobody else's is reached."
        )

    return refuse
