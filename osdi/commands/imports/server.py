"""The command `import osdi`, which imports everything from another OSDI server, and later only the changes."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from osdi.access.tokens import PULLER
from osdi.commands.output import echo
from osdi.commands.register import CommandContext, database_command
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.importer import WAIT_SECONDS, Choices, row_importers
from osdi.importing.osdi_client import Remote, RemoteError
from osdi.importing.rejected_rows import RejectedFile
from osdi.importing.report import Report
from osdi.importing.server_import import Pull
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.store import Store

LINE_AFTER_ROWS: Final = 1_000
CAMPAIGNS: Final = ADVOCACY_CAMPAIGN.collection


@click.command("osdi")
@click.argument("url")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File with the token.")
@click.option("--token-env", metavar="NAME", help="Name of the environment variable with the token.")
@click.option(
    "--seconds", type=click.FloatRange(1, 600), default=60, show_default=True, help="Most seconds for each response."
)
@click.option("--silent/--notify", default=True, help="Without or with webhooks. Default: without.")
@click.option("--include-erased", is_flag=True, help="Import people who were erased, too.")
@database_command(wait_seconds=WAIT_SECONDS)
def import_osdi(
    context: CommandContext,
    url: str,
    token_file: Path | None,
    token_env: str | None,
    seconds: float,
    silent: bool,
    include_erased: bool,
) -> None:
    """Import the campaigns, people and outreaches of an OSDI server. URL is its API entry point.

    A repeated import continues after an interruption, or imports the changes since the last one.
    """
    token = _token(token_file, token_env)
    try:
        remote = Remote(url, token, seconds=seconds)
    except RemoteError as error:
        raise click.UsageError(str(error)) from error
    settings = context.settings
    store = Store(settings.mongodb_uri, cache_seconds=settings.cache_seconds, queues_events=not silent)
    rejected = {kind: RejectedFile(Path(f"osdi-{kind}.ndjson"), None) for kind in (CAMPAIGNS, PEOPLE, OUTREACHES)}
    try:
        choices = Choices(silent=silent, include_erased=include_erased, caller=PULLER)
        importers = row_importers(store, settings, context.load_body, choices, (PEOPLE, OUTREACHES))
        _pull(Pull(store, remote, _pull_id(url, token), importers, _rejecting(rejected), _printing()))
    finally:
        remote.close()
        store.close()
        for kind, file in rejected.items():
            if found := file.without_repeats():
                echo(f"The rejected {kind.replace('_', ' ')} are in {found}.")


def _token(token_file: Path | None, token_env: str | None) -> str | None:
    """Returns the token, which is no argument: other users of the machine see those. Raises click.UsageError."""
    if token_file is not None:
        return token_file.read_text(encoding="utf-8", errors="replace").strip()
    if token_env is not None:
        token = os.environ.get(token_env, "").strip()
        if not token:
            raise click.UsageError(f"The environment variable {token_env} is empty.")
        return token
    return None


def _pull_id(url: str, token: str | None) -> str:
    """Returns the id of an import from this server, with this token: a server may show other data to another token."""
    return hashlib.sha256(f"osdi {url.rstrip('/')} {token}".encode()).hexdigest()


def _pull(pull: Pull) -> None:
    """Imports everything and prints the reports. Raises click.ClickException if the other server fails."""
    try:
        for name, report in pull.run().items():
            echo(f"{name}:")
            for line in report.summary(dry=False, of_people=name != CAMPAIGNS):
                echo(f"  {line}")
    except RemoteError as error:
        raise click.ClickException(f"{error} The imported data is kept; the same command continues.") from error
    except BrokenPipeError:  # the reader of the output has ended
        raise
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'Rejected rows'}: {error.strerror}.") from error


def _rejecting(rejected: Mapping[str, RejectedFile]) -> Callable[[str, int, str, bytes], None]:
    return lambda kind, line, reason, written: rejected[kind].add(line, reason, written)


def _printing() -> Callable[[str, Report], None]:
    printed: dict[str, int] = {}

    def show(kind: str, report: Report) -> None:
        if report.rows - printed.get(kind, 0) >= LINE_AFTER_ROWS:
            printed[kind] = report.rows
            echo(f"{kind}: {report.rows:,}, of which {report.rejected:,} rejected")

    return show
