"""The command `export`, which writes people, outreaches and other resources as CSV or NDJSON.

The file of `-o` appears when it is complete, and only its owner can read it. A progress bar is on standard error.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click

from osdi.commands.output import destination, echo, progress
from osdi.commands.register import CommandContext, database_command
from osdi.errors import OsdiError
from osdi.exporting.export import EXPORTED, ExportQuery, Part, csv, ndjson, query_of
from osdi.hal import Hal
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.retry import retry_while_unavailable
from osdi.store.scan import count_or_none

CSV, NDJSON = "csv", "ndjson"

# Seconds that the export waits for a database that does not respond.
WAIT_SECONDS: Final = 120.0
NOWHERE: Final = "http://localhost"


@click.command()
@click.argument("what", type=click.Choice(list(EXPORTED)))
@click.option("--format", "form", type=click.Choice((CSV, NDJSON)), default=CSV, show_default=True)
@click.option("--filter", "text", help="A filter of the API, such as \"modified_date ge '2026-03-18'\".")
@click.option("--campaign", "campaign_id", help="Export only the outreaches of the campaign with this id.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
@click.option("--bom", is_flag=True, help="CSV: begin with a byte order mark, so that Excel recognises UTF-8.")
@click.option(
    "--plain",
    is_flag=True,
    help="CSV: leave cells that begin with = + - or @ as they are. Do not open the file in a spreadsheet.",
)
@database_command(wait_seconds=WAIT_SECONDS)
def export(
    context: CommandContext,
    what: str,
    form: str,
    text: str | None,
    campaign_id: str | None,
    output: Path | None,
    bom: bool,
    plain: bool,
) -> None:
    """Export all resources of one kind.

    The oldest comes first.
    """
    if form == NDJSON and (bom or plain):
        raise click.UsageError("--bom and --plain are for CSV only.")
    query = _query(context, what, text, campaign_id)
    if form == CSV:
        parts = csv(query, plain=plain, bom=bom)
    else:
        if not context.settings.public_url:
            echo(f"PUBLIC_URL is not set: links begin with {NOWHERE}.", err=True)
        parts = ndjson(query, Hal(context.settings.public_url or NOWHERE, context.settings.namespace))
    with destination(output) as file:
        number = retry_while_unavailable(
            lambda: count_or_none(context.store, query.collection, query.selected), WAIT_SECONDS
        )
        _write(parts, file, number, what)


def _query(context: CommandContext, what: str, text: str | None, campaign_id: str | None) -> ExportQuery:
    """Returns the query that the options describe. Raises click.UsageError for options that do not fit."""
    resource, store = EXPORTED[what], context.store
    if campaign_id is not None and resource is not OUTREACH:
        raise click.UsageError("--campaign is for outreaches only.")
    if campaign_id is not None and store.get(ADVOCACY_CAMPAIGN.collection, campaign_id) is None:
        raise click.BadParameter(f"No campaign has the id '{campaign_id}'.", param_hint="--campaign")
    try:
        selected = query_of(resource, text, context.settings.match_key_rules, campaign_id=campaign_id)
    except OsdiError as error:
        raise click.BadParameter(str(error), param_hint="--filter") from error
    return ExportQuery(store, resource, selected, WAIT_SECONDS)


def _write(parts: Iterator[Part], file: BinaryIO, number: int | None, label: str) -> None:
    written = 0
    with progress(number, label) as bar:
        for part in parts:
            file.write(part.text)
            written += part.documents
            bar.update(part.documents)
    echo(f"Exported {written} documents.", err=True)
