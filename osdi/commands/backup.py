"""`backup` and `restore`: the whole database to one file, and back.

The file holds everything, signing keys and webhook secrets included: it is as secret as the database.
"""

from pathlib import Path
from typing import Final

import click

from osdi.access.token_store import find_tokens
from osdi.backup.archive import Header
from osdi.backup.backup import Progress, check_backup, restore_backup, write_backup
from osdi.backup.dump_store import is_empty
from osdi.commands.output_file import destination, progress
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.driver import database_name
from osdi.store.indexes import TOKENS

FILE: Final = click.Path(dir_okay=False, path_type=Path)


def backup_command(store: Store, settings: Settings) -> click.Command:
    """The command `backup`, to be added to the application's flask command."""

    @click.command("backup")
    @click.argument("file", type=FILE)
    @click.option(
        "--no-snapshot",
        is_flag=True,
        help="Read each document as it is then, instead of all as of one moment: for a database that takes minutes.",
    )
    def backup(file: Path, no_snapshot: bool) -> None:
        """Write the whole database to FILE, while everything goes on. Only its owner may read it: keep it secret."""
        if file.exists():
            raise click.UsageError(f"{file} exists already: a backup takes no other file's place.")
        with destination(file) as opened, progress(None, "backup") as bar:

            def begin(header: Header) -> Progress:
                bar.length = header.documents
                told: Progress = bar.update
                return told

            name = database_name(settings.mongodb_uri)
            written = write_backup(store, opened, name, snapshot=not no_snapshot, begin=begin)
        click.echo(f"{_told(written)} in {file}.")
        if not written.one_moment:
            click.echo(
                "What was written meanwhile may be in it or not; on a replica set it is as of one moment.", err=True
            )

    return backup


def restore_command(store: Store, settings: Settings) -> click.Command:
    """The command `restore`."""

    @click.command("restore")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--replace", is_flag=True, help="Delete what is in the database; its name is asked for.")
    @click.option(
        "--send-queued",
        is_flag=True,
        help="Send the follow-ups, and tell webhooks the events, that waited then. Most have been sent since.",
    )
    @click.option("--include-erased", is_flag=True, help="Leave people there who were erased since, too.")
    def restore(file: Path, replace: bool, send_queued: bool, include_erased: bool) -> None:
        """Put what `backup` wrote to FILE into the database, which has to be empty. Stop web and worker first.

        The file is checked to its end before anything is written.
        """
        name = database_name(settings.mongodb_uri)
        with file.open("rb") as opened:
            header = check_backup(opened)
            click.echo(f"{file} is whole: {_told(header)}, of database {header.database}, {header.created_date}.")
            store.skip_schema_check()
            if not is_empty(store):
                _agreed(name, replace)
            with progress(header.documents, "restore") as bar:
                erased = restore_backup(
                    store,
                    opened,
                    header,
                    settings.match_key_rules,
                    send_queued=send_queued,
                    bring_back_erased=include_erased,
                    progress=bar.update,
                )
        click.echo(f"Restored into {name}: {_told(header)}.")
        if erased:
            click.echo(f"Erased again, as since the backup: {erased} people; their outreaches are anonymised.")
        _warn(store, header, send_queued)

    return restore


def _told(header: Header) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in header.counts.items() if number)
    return f"{header.documents} documents" + (f" ({counts})" if counts else "")


def _agreed(name: str, replace: bool) -> None:
    """Raises click.UsageError where nobody said that what is in the database may go, click.Abort for another name."""
    if not replace:
        raise click.UsageError(f"The database {name} is not empty; --replace deletes what is in it.")
    if click.prompt(f"Type the database's name, {name}, to delete everything in it") != name:
        raise click.Abort


def _warn(store: Store, header: Header, send_queued: bool) -> None:
    """What an operator has to look at, since it happened after the backup and is forgotten."""
    if header.counts.get(TOKENS):
        names = ", ".join(sorted({token["name"] for token in find_tokens(store, {})}))
        click.echo(f"Tokens as they were then, also those that were revoked since: {names}.", err=True)
    click.echo("Who unsubscribed or was deleted since then is back as before.", err=True)
    if not send_queued:
        click.echo("What waited to be sent then is skipped, with the reason `restored`.", err=True)
