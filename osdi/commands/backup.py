"""The commands `backup` and `restore`, which write the whole database to one file and read it back.

The file has everything, signing keys and webhook secrets included, and must be kept as secret as the database.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import click

from osdi.access.token_store import find_tokens
from osdi.backup.archive import BadBackup, Header
from osdi.backup.backup import Progress, check_backup, restore_backup, write_backup
from osdi.backup.backup_folder import delete_old, file_for, newest_in
from osdi.backup.drill import restore_drill
from osdi.backup.dump_store import document_counts, is_empty
from osdi.backup.staging_store import COMPLETED, end_interrupted_restore
from osdi.commands.output import destination, echo, progress, table
from osdi.commands.register import CommandContext, database_command
from osdi.ids import now
from osdi.operations.foreign_documents import reject_foreign_documents
from osdi.operations.last_backup import note_backup
from osdi.store import Store
from osdi.store.driver import database_name
from osdi.store.indexes import STAFF, TOKENS

Returned = TypeVar("Returned")
STANDARD_OUTPUT: Final = "-"


@click.command()
@click.argument("path", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--no-snapshot",
    is_flag=True,
    help="Read each document in its present state, instead of all in the state of one moment. Use it if a backup takes "
    "more than a few minutes.",
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="PATH is a folder. The file gets a name with the date, and of such files the newest KEEP stay.",
)
@click.option("--check", is_flag=True, help="Only read the file, or the newest one in the folder, to its end.")
@database_command(prepared=False)
def backup(context: CommandContext, path: Path, no_snapshot: bool, keep: int | None, check: bool) -> None:
    """Write the whole database to a file.

    PATH is a file, or `-` for standard output, or with --keep a folder. The server can run meanwhile. The file has
    secrets in it, and only its owner can read it.
    """
    if check:
        _check(path)
        return
    file = _target(path, keep)
    reject_foreign_documents(context.store)
    with destination(file) as opened, progress(None, "backup") as bar:

        def begin(header: Header) -> Progress:
            bar.length = header.documents
            update: Progress = bar.update
            return update

        name = database_name(context.settings.mongodb_uri)
        written = write_backup(context.store, opened, name, snapshot=not no_snapshot, begin=begin)
    note_backup(context.store, written.documents)
    echo(f"Wrote {_summary(written)} to {file or 'standard output'}.", err=file is None)
    if not written.one_moment:
        echo(
            "Documents that were written during the backup may be missing. Only a backup of a replica set, without "
            "--no-snapshot, has the state of one moment. A restore makes match keys and links consistent.",
            err=True,
        )
    if keep:
        for old in _in_folder(delete_old, path, keep):
            echo(f"Deleted {old}.")


def _target(path: Path, keep: int | None) -> Path | None:
    """Returns the file to write; None for standard output. Raises click.UsageError."""
    if keep:
        if not path.is_dir():
            raise click.UsageError(f"{path} is not a folder. --keep needs one.")
        return file_for(path, now())
    if str(path) == STANDARD_OUTPUT:
        if sys.stdout.isatty():
            raise click.UsageError("A backup is binary: send it to a file or a program, not to the terminal.")
        return None
    if path.is_dir():
        raise click.UsageError(f"{path} is a folder. Add --keep NUMBER, or the name of a file.")
    if path.exists():
        raise click.UsageError(f"{path} exists already. Choose another name: a backup overwrites no file.")
    return path


def _check(path: Path) -> None:
    """Prints what a backup has in it. Raises click.ClickException if it is damaged, or there is none."""
    file = _newest(path)
    with _opened(file) as opened:
        header = check_backup(opened)
    echo(f"{file} is complete: {_summary(header)}, from database {header.database}, {header.created_date}.")


def _newest(path: Path) -> Path:
    """Returns the file, or the newest backup of a folder. Raises click.UsageError if there is none."""
    file = _in_folder(newest_in, path) if path.is_dir() else path
    if file is None or not file.exists():
        raise click.UsageError(f"There is no backup: {path}.")
    return file


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Yields the file for reading. Raises click.ClickException, which names it, if it is unreadable or damaged."""
    try:
        with file.open("rb") as opened:
            yield opened
    except OSError as error:
        raise click.FileError(str(file), error.strerror or "cannot be read") from error
    except BadBackup as error:
        raise click.ClickException(f"{file}: {error}") from error


def _in_folder(act: Callable[..., Returned], *arguments: Path | int) -> Returned:
    """Calls a function of osdi.backup.backup_folder. Raises click.FileError if the folder cannot be used."""
    try:
        return act(*arguments)
    except OSError as error:
        raise click.FileError(str(arguments[0]), error.strerror or "cannot be used") from error


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--drill",
    is_flag=True,
    help="Restore FILE, or the newest backup in that folder, into a scratch database of the same server, compare the "
    "numbers of documents, and delete it.",
)
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
@database_command(prepared=False)
def restore(
    context: CommandContext,
    file: Path | None,
    drill: bool,
    replace: bool,
    send_queued: bool,
    include_erased: bool,
    recover: bool,
) -> None:
    """Restore the database from a backup.

    Stop web and worker first, but not for a drill. The database has to be empty. The command checks the whole FILE
    before it changes anything. If it fails, the database has its former content.
    """
    if recover:
        _recover(context.store, file)
        return
    if file is None:
        raise click.UsageError("Name the FILE of the backup.")
    if drill:
        _drill(context, _newest(file))
        return
    if file.is_dir():
        raise click.UsageError(f"{file} is a folder. Name a file in it.")
    _restore(context, file, replace=replace, send_queued=send_queued, include_erased=include_erased)


def _restore(context: CommandContext, file: Path, *, replace: bool, send_queued: bool, include_erased: bool) -> None:
    """Checks and restores a file, and prints what the operator has to know."""
    store, name = context.store, database_name(context.settings.mongodb_uri)
    with file.open("rb") as opened:
        header = check_backup(opened)
        echo(f"{file} is complete: {_summary(header)}, from database {header.database}, {header.created_date}.")
        store.skip_schema_check()
        reject_foreign_documents(store)
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


def _drill(context: CommandContext, file: Path) -> None:
    """Restores the file into a scratch database and prints its numbers. Raises click.ClickException if some differ."""
    rules = context.settings.match_key_rules
    with _opened(file) as opened:
        header = check_backup(opened)
        with progress(header.documents, "drill") as bar:
            done = restore_drill(
                context.store, opened, header, rules, progress=bar.update, report=partial(echo, err=True)
            )
    present = document_counts(context.store)
    rows = [
        (name, str(number), str(done.restored.get(name, 0)), str(present.get(name, 0)))
        for name, number in header.counts.items()
    ]
    echo(table(("collection", "in the backup", "restored", "in service now"), rows))
    if different := done.differences():
        raise click.ClickException(f"{file} could not be restored as it is. Numbers differ: {', '.join(different)}.")
    echo(f"{file}, of {header.created_date}, can be restored.")


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
