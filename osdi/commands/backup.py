"""The commands `backup` and `restore`, which write the whole database to one file and read it back.

The file has everything, signing keys and webhook secrets included, and must be kept as secret as the database.
"""

from pathlib import Path
from typing import Final

import click

from osdi.access.token_store import find_tokens
from osdi.backup.archive import Header
from osdi.backup.backup import Progress, check_backup, restore_backup, write_backup
from osdi.backup.dump_store import is_empty
from osdi.backup.staging_store import COMPLETED, end_interrupted_restore
from osdi.commands.output import destination, echo, progress
from osdi.commands.register import CommandContext, database_command
from osdi.store import Store
from osdi.store.driver import database_name
from osdi.store.indexes import STAFF, TOKENS

FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--no-snapshot",
    is_flag=True,
    help="Read each document in its present state, instead of all in the state of one moment. Use it if a backup takes "
    "more than a few minutes.",
)
@database_command()
def backup(context: CommandContext, file: Path, no_snapshot: bool) -> None:
    """Write the whole database to a file.

    The server can run meanwhile. FILE has secrets in it, and only its owner can read it.
    """
    if file.exists():
        raise click.UsageError(f"{file} exists already. Choose another name: a backup overwrites no file.")
    with destination(file) as opened, progress(None, "backup") as bar:

        def begin(header: Header) -> Progress:
            bar.length = header.documents
            update: Progress = bar.update
            return update

        name = database_name(context.settings.mongodb_uri)
        written = write_backup(context.store, opened, name, snapshot=not no_snapshot, begin=begin)
    echo(f"Wrote {_summary(written)} to {file}.")
    if not written.one_moment:
        echo(
            "Documents that were written during the backup may be missing. Only a backup of a replica set, without "
            "--no-snapshot, has the state of one moment. A restore makes match keys and links consistent.",
            err=True,
        )


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Delete everything in the database first. The command asks for its name.")
@click.option(
    "--send-queued",
    is_flag=True,
    help="Send the follow-ups and webhook events that were queued at the time of the backup. Most of them have been "
    "sent since.",
)
@click.option("--include-erased", is_flag=True, help="Keep people who were erased after the backup.")
@click.option(
    "--recover",
    is_flag=True,
    help="End a restore whose process was killed; without FILE. The former data is in service again, or the restored "
    "data if all of it was there.",
)
@database_command()
def restore(
    context: CommandContext, file: Path | None, replace: bool, send_queued: bool, include_erased: bool, recover: bool
) -> None:
    """Restore the database from a backup.

    Stop web and worker first. The database has to be empty. The command checks the whole FILE before it changes
    anything. If it fails, the database has its former content.
    """
    store, name = context.store, database_name(context.settings.mongodb_uri)
    if recover:
        _recover(store, file)
        return
    if file is None:
        raise click.UsageError("Name the FILE of the backup.")
    with file.open("rb") as opened:
        header = check_backup(opened)
        echo(f"{file} is complete: {_summary(header)}, from database {header.database}, {header.created_date}.")
        store.skip_schema_check()
        if not is_empty(store):
            _confirm_deletion(name, replace)
        repairs: list[str] = []
        with progress(header.documents, "restore") as bar:
            erased = restore_backup(
                store,
                opened,
                header,
                context.settings.match_key_rules,
                send_queued=send_queued,
                include_erased=include_erased,
                progress=bar.update,
                report=repairs.append,
            )
    echo(f"Restored {_summary(header)} into {name}.")
    for sentence in repairs:
        echo(sentence, err=True)
    if erased:
        echo(f"Erased {erased} people again who were erased after the backup; their outreaches are anonymised.")
    _warn(store, header, send_queued)


def _recover(store: Store, file: Path | None) -> None:
    """Ends an interrupted restore. Raises click.UsageError if a file is named, or no restore was interrupted."""
    if file is not None:
        raise click.UsageError("Leave out FILE: --recover ends a restore that was interrupted.")
    store.skip_schema_check()
    ended = end_interrupted_restore(store)
    if ended is None:
        raise click.UsageError("No restore was interrupted.")
    if ended == COMPLETED:
        echo("All data was restored, and is in service now.")
    else:
        echo("The former data is in service again. Nothing was restored: repeat the restore.")


def _summary(header: Header) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in header.counts.items() if number)
    return f"{header.documents} documents" + (f" ({counts})" if counts else "")


def _confirm_deletion(name: str, replace: bool) -> None:
    """Raises click.UsageError without `replace`, and click.Abort if another name is typed."""
    if not replace:
        raise click.UsageError(f"The database {name} is not empty. --replace deletes everything in it first.")
    if click.prompt(f"Type the database's name, {name}, to delete everything in it") != name:
        raise click.Abort


def _warn(store: Store, header: Header, send_queued: bool) -> None:
    """Prints the changes after the backup that are lost and that an operator may have to make again."""
    if header.counts.get(TOKENS):
        names = ", ".join(sorted({token["name"] for token in find_tokens(store, {})}))
        echo(f"Tokens that were revoked after the backup are valid again. The tokens are: {names}.", err=True)
    if header.counts.get(STAFF):
        echo("Staff members are signed out. Those who were disabled after the backup may sign in again.", err=True)
    echo("People who unsubscribed or were deleted after the backup have their earlier state again.", err=True)
    if not send_queued:
        echo("Follow-ups that were queued at the time of the backup are skipped, with the reason `restored`.", err=True)
