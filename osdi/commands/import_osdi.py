"""`import osdi URL`: everything that another OSDI server has, and the next time what has changed there since."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from osdi.crud.reference_cache import Reference
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.importer import Choices, IsErased, Loaders, RowImporter
from osdi.importing.osdi_client import Remote, RemoteError
from osdi.importing.rejected_rows import RefusedFile
from osdi.importing.report import Report
from osdi.importing.server_import import Pull
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.settings import Settings
from osdi.store import Store

TOLD_EVERY: Final = 1_000


def pull_command(settings: Settings, loaders: Loaders, erased_in: Callable[[Store], IsErased]) -> click.Command:
    """The command, to be added to the group of imports."""

    @click.command("osdi")
    @click.argument("url")
    @click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Holds the token.")
    @click.option("--token-env", metavar="NAME", help="The variable of the environment that holds the token.")
    @click.option("--seconds", type=click.FloatRange(1, 600), default=60, show_default=True, help="For each answer.")
    @click.option("--silent/--notify", default=True, help="Whether webhooks are told nothing; the default is silent.")
    @click.option("--include-erased", is_flag=True, help="Take in people who were erased, too.")
    def osdi(
        url: str,
        token_file: Path | None,
        token_env: str | None,
        seconds: float,
        silent: bool,
        include_erased: bool,
    ) -> None:
        """Import the campaigns, people and outreaches of the OSDI server whose API entry point is URL.

        Run again it goes on where it broke off, or asks for what has changed since.
        """
        token = _token(token_file, token_env)
        try:
            remote = Remote(url, token, seconds=seconds)
        except RemoteError as error:
            raise click.UsageError(str(error)) from error
        store = Store(settings.mongodb_uri, cache_seconds=settings.cache_seconds, tells_webhooks=not silent)
        kinds = (ADVOCACY_CAMPAIGN.collection, PEOPLE, OUTREACHES)
        refused = {kind: RefusedFile(Path(f"osdi-{kind}.ndjson"), None) for kind in kinds}
        try:
            reference = Reference(store, cache_seconds=settings.cache_seconds)
            choices = Choices(silent=silent, bring_back_erased=include_erased)
            taking = {
                kind: RowImporter(store, reference, settings, loaders, kind, choices, erased_in(store))
                for kind in (PEOPLE, OUTREACHES)
            }
            # One server may show another group's people to each token.
            pull_id = hashlib.sha256(f"osdi {url.rstrip('/')} {token}".encode()).hexdigest()
            pull = Pull(store, remote, pull_id, taking, loaders.campaign, _refusing(refused), _telling())
            for name, report in pull.run().items():
                lines = report.summary(dry=False, of_people=name != ADVOCACY_CAMPAIGN.collection)
                click.echo("\n".join((f"{name}:", *(f"  {line}" for line in lines))))
        except RemoteError as error:
            raise click.ClickException(f"{error} What came is kept; the same command goes on.") from error
        except BrokenPipeError:  # whoever reads what is printed has gone
            raise
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'Refused lines'}: {error.strerror}.") from error
        finally:
            remote.close()
            store.close()
            for kind, file in refused.items():
                if found := file.without_repeats():
                    click.echo(f"The {kind.replace('_', ' ')} that were refused are in {found}.")

    return osdi


def _token(token_file: Path | None, token_env: str | None) -> str | None:
    """The token, which never stands in a command: others see those. Raises click.UsageError."""
    if token_file is not None:
        return token_file.read_text(encoding="utf-8", errors="replace").strip()
    if token_env is not None:
        token = os.environ.get(token_env, "").strip()
        if not token:
            raise click.UsageError(f"The variable {token_env} is empty.")
        return token
    return None


def _refusing(refused: Mapping[str, RefusedFile]) -> Callable[[str, int, str, bytes], None]:
    return lambda kind, line, reason, written: refused[kind].add(line, reason, written)


def _telling() -> Callable[[str, Report], None]:
    told: dict[str, int] = {}

    def tell(kind: str, report: Report) -> None:
        if report.rows - told.get(kind, 0) >= TOLD_EVERY:
            told[kind] = report.rows
            click.echo(f"{kind}: {report.rows:,}, of which {report.refused:,} refused")

    return tell
