"""`export`: people, outreaches and the rest as a file, CSV for spreadsheets or NDJSON for programs.

A file that is named by `-o` appears when it is whole, and is its owner's to read; a bar on standard error shows how
far it is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click

from osdi.commands.output_file import destination, progress
from osdi.errors import OsdiError
from osdi.exporting.export import EXPORTED, ExportQuery, Part, csv, ndjson, query_of
from osdi.hal import Hal
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.retry import retry_while_unavailable
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.scan import count_or_none

CSV, NDJSON = "csv", "ndjson"

# Nobody waits for an answer: a database that is away for a while is waited for.
PATIENCE_SECONDS: Final = 120.0
NOWHERE: Final = "http://localhost"


def export_command(store: Store, settings: Settings) -> click.Command:
    """The command `export`, to be added to the application's flask command."""

    @click.command("export")
    @click.argument("what", type=click.Choice(list(EXPORTED)))
    @click.option("--format", "form", type=click.Choice((CSV, NDJSON)), default=CSV, show_default=True)
    @click.option("--filter", "text", help="As in ?filter= of the API, such as \"modified_date gt '2026-03-18'\".")
    @click.option("--campaign", "campaign_id", help="Only outreaches of the campaign with this id.")
    @click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
    @click.option("--bom", is_flag=True, help="CSV: begin with a byte order mark, by which Excel knows UTF-8.")
    @click.option(
        "--plain", is_flag=True, help="CSV: leave cells that begin with = + - @ as they are. Not for a spreadsheet."
    )
    def export(
        what: str,
        form: str,
        text: str | None,
        campaign_id: str | None,
        output: Path | None,
        bom: bool,
        plain: bool,
    ) -> None:
        """Write WHAT to a file, oldest first: people, outreaches, tags and so on."""
        resource = EXPORTED[what]
        if campaign_id is not None and resource is not OUTREACH:
            raise click.UsageError("--campaign is for outreaches.")
        if form == NDJSON and (bom or plain):
            raise click.UsageError("--bom and --plain are for CSV.")
        if campaign_id is not None and store.get(ADVOCACY_CAMPAIGN.collection, campaign_id) is None:
            raise click.BadParameter("There is no such advocacy campaign.", param_hint="--campaign")
        try:
            query = query_of(resource, text, settings.match_key_rules, campaign_id=campaign_id)
        except OsdiError as error:
            raise click.BadParameter(str(error), param_hint="--filter") from error
        wanted = ExportQuery(store, resource, query, PATIENCE_SECONDS)
        if form == CSV:
            parts = csv(wanted, plain=plain, bom=bom)
        else:
            if not settings.public_url:
                click.echo(f"PUBLIC_URL is not set: links begin with {NOWHERE}.", err=True)
            parts = ndjson(wanted, Hal(settings.public_url or NOWHERE, settings.namespace))
        with destination(output) as file:
            number = retry_while_unavailable(
                lambda: count_or_none(store, wanted.collection, wanted.selected), PATIENCE_SECONDS
            )
            _write(parts, file, number, what)

    return export


def _write(parts: Iterator[Part], file: BinaryIO, number: int | None, label: str) -> None:
    written = 0
    with progress(number, label) as bar:
        for part in parts:
            file.write(part.text)
            written += part.documents
            bar.update(part.documents)
    click.echo(f"{written} documents.", err=True)
