"""`import people`, `import outreaches` and `import osdi`: data in, from a file or from another OSDI server.

What a file is taken for is shown before anything happens, and what became of it afterwards. docs/importing.md is the
page for whoever runs it.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import orjson

from osdi.commands.import_osdi import pull_command
from osdi.commands.tables import table
from osdi.crud.reference_cache import Reference
from osdi.errors import OsdiError
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE, Column
from osdi.importing.csv_files.encoding import survey
from osdi.importing.dry_run_store import DryRunStore
from osdi.importing.file_import import Progress, run
from osdi.importing.importer import Choices, IsErased, Loaders, RowImporter
from osdi.importing.progress_store import import_progress
from osdi.importing.rejected_rows import RefusedFile
from osdi.importing.report import Report
from osdi.importing.sources import NDJSON, CsvChoices, CsvSource, NdjsonSource, Source
from osdi.settings import Settings
from osdi.store import Store

THREADS: Final = 8
TOLD_EVERY: Final = 5_000
ENCODINGS: Final = {"utf-8": "utf-8", "utf-16": "utf-16", "windows-1252": "cp1252", "latin-1": "iso-8859-1"}
DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)

Command = Callable[..., Any]


def import_commands(settings: Settings, loaders: Loaders, erased_in: Callable[[Store], IsErased]) -> click.Group:
    """The commands' group, to be added to the application's flask command.

    `erased_in` makes of a store the function that says of match keys whether they are of somebody who was erased.
    """
    imports = click.Group("import", help="Data in, from files and from other OSDI servers.")

    @imports.command("people")
    @click.argument("file", type=FILE)
    @_options
    def people(file: Path, **options: Any) -> None:
        """Import the people of FILE: a CSV file, or NDJSON with a person of OSDI in each line."""
        _import(settings, loaders, erased_in, PEOPLE, file, None, options)

    @imports.command("outreaches")
    @click.argument("file", type=FILE)
    @click.option("--campaign", "campaign_id", help="Id of the campaign that all are of; else each row names its own.")
    @_options
    def outreaches(file: Path, campaign_id: str | None, **options: Any) -> None:
        """Import the outreaches of FILE, with the people who made them."""
        _import(settings, loaders, erased_in, OUTREACHES, file, campaign_id, options)

    imports.add_command(pull_command(settings, loaders, erased_in))
    return imports


def _options(command: Command) -> Command:
    """The options that both kinds of files have."""
    for option in reversed(
        (
            click.option("--map", "mapped", multiple=True, metavar="COLUMN=FIELD", help="What a column holds."),
            click.option("--ignore", "ignored", multiple=True, metavar="COLUMN", help="Leave a column out."),
            click.option("--ignore-unknown", is_flag=True, help="Make no custom fields of columns that are not known."),
            click.option("--system", metavar="NAME", help="Whose ids the column `id` holds, such as crm."),
            click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="Whether 1/2/2024 is in February."),
            click.option("--tag-separator", metavar="TEXT", help="What stands between tags; default: a semicolon."),
            click.option("--delimiter", type=click.Choice(list(DELIMITERS)), help="Default: guessed."),
            click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Default: guessed."),
            click.option("--create-tags", is_flag=True, help="Make tags that do not exist."),
            click.option("--dry-run", is_flag=True, help="Write nothing; tell what would be done."),
            click.option("--resume", is_flag=True, help="Go on where this import of this file broke off."),
            click.option(
                "--silent/--notify",
                default=True,
                help="Whether webhooks are told nothing and no follow-ups are sent; the default is silent.",
            ),
            click.option("--include-erased", is_flag=True, help="Take in people who were erased, too."),
            click.option("--threads", type=click.IntRange(1, 64), default=THREADS, show_default=True),
            click.option("--yes", is_flag=True, help="Do not ask."),
        )
    ):
        command = option(command)
    return command


def _import(
    settings: Settings,
    loaders: Loaders,
    erased_in: Callable[[Store], IsErased],
    kind: str,
    file: Path,
    campaign_id: str | None,
    options: dict[str, Any],
) -> None:
    """Import one file; what is wrong with it or with the options is a click.UsageError."""
    dry = options["dry_run"]
    if dry and options["resume"]:
        raise click.UsageError("A dry run keeps nothing that could be resumed.")
    _check_file(file)
    surveyed = survey(file)
    choices = _csv_choices(options)
    source: Source
    header: Sequence[str] | None = None
    delimiter = ","
    try:
        if file.suffix.lower() in NDJSON:
            source = NdjsonSource(file, kind)
        else:
            source = CsvSource(file, surveyed, kind, choices, settings.namespace, campaign_id)
            header, delimiter = source.header, source.delimiter
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    store = DryRunStore(settings.mongodb_uri) if dry else _store(settings, options["silent"])
    try:
        take_in = RowImporter(
            store=store,
            reference=Reference(store, cache_seconds=settings.cache_seconds),
            settings=settings,
            loaders=loaders,
            kind=kind,
            choices=Choices(
                campaign_id, options["create_tags"], options["silent"], bring_back_erased=options["include_erased"]
            ),
            is_erased=erased_in(store),
        )
        if campaign_id is not None:
            take_in.reference.campaign(campaign_id)
        import_id = _import_id(kind, surveyed.digest, campaign_id, choices, settings)
        report, path, size = _where_it_was(store, import_id, resume=options["resume"])
        _show(file, surveyed.size, source)
        if not dry and not options["yes"] and sys.stdin.isatty():
            click.confirm("Import it?", abort=True)
        refused = RefusedFile(file, header, delimiter, path=path, size=size)
        progress = Progress(None if dry else store, import_id, {"file": file.name, "kind": kind})
        _run(source, take_in, refused, progress, report, surveyed.size, 1 if dry else options["threads"])
        for line in report.summary(dry=dry):
            click.echo(line)
        if found := refused.without_repeats():
            click.echo(f"The refused rows are in {found}, to be mended and imported.")
        if dry:
            click.echo("Nothing was written: this was a dry run.")
    except BrokenPipeError:  # whoever reads what is printed has gone
        raise
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'Refused lines'}: {error.strerror}.") from error
    finally:
        source.close()
        store.close()


def _run(
    source: Source,
    take_in: RowImporter,
    refused: RefusedFile,
    progress: Progress,
    report: Report,
    size: int,
    threads: int,
) -> None:
    """Run it under a progress bar, or with a line now and then where nobody watches a terminal."""
    try:
        if sys.stdout.isatty():
            with click.progressbar(length=size, label="Importing") as bar:
                run(source, take_in, refused, progress, report, threads=threads, shown=_moving(bar))
        else:
            run(source, take_in, refused, progress, report, threads=threads, shown=_telling(size))
    except (KeyboardInterrupt, click.Abort, OsdiError, OSError) as error:
        goes_on = "this was a dry run" if progress.store is None else "the same command with --resume goes on"
        click.echo(f"\nStopped behind {report.rows:,} rows; {goes_on}.", err=True)
        if isinstance(error, OsdiError | OSError):
            raise
        raise click.Abort from None
    finally:
        refused.close()


def _moving(bar: Any) -> Callable[[Report, int], None]:
    return lambda _, position: bar.update(position - bar.pos)


def _telling(size: int) -> Callable[[Report, int], None]:
    told = 0

    def tell(report: Report, position: int) -> None:
        nonlocal told
        if report.rows - told >= TOLD_EVERY:
            told = report.rows
            percent = 100 * position // max(size, 1)
            click.echo(f"{report.rows:,} rows ({percent} % of the file), {report.refused:,} refused")

    return tell


def _store(settings: Settings, silent: bool) -> Store:
    return Store(settings.mongodb_uri, cache_seconds=settings.cache_seconds, tells_webhooks=not silent)


def _csv_choices(options: dict[str, Any]) -> CsvChoices:
    mapped = {}
    for each in options["mapped"]:
        column, equals, field = each.rpartition("=")
        if not equals:
            raise click.UsageError(f"--map {each}: it is COLUMN=FIELD.")
        mapped[column] = field
    return CsvChoices(
        encoding=ENCODINGS.get(options["encoding"] or ""),
        delimiter=DELIMITERS.get(options["delimiter"] or ""),
        mapped=mapped,
        ignored=options["ignored"],
        ignore_unknown=options["ignore_unknown"],
        system=options["system"],
        dates=options["dates"],
        tags_by=options["tag_separator"],
    )


def _import_id(kind: str, digest: str, campaign_id: str | None, choices: CsvChoices, settings: Settings) -> str:
    """What makes an import known again: what is imported, and as what."""
    said = [kind, digest, campaign_id, asdict(choices), settings.phone_region]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _check_file(file: Path) -> None:
    """Raises click.UsageError for what cannot be read twice, or has a name that cannot be shown and kept."""
    if not file.is_file():
        raise click.UsageError(f"{file} has to be a file on a disk: it is read twice.")
    try:
        str(file.resolve()).encode()
    except UnicodeEncodeError:
        raise click.UsageError(f"{click.format_filename(file)}: give it another name; this one is no text.") from None


def _where_it_was(store: Store, import_id: str, *, resume: bool) -> tuple[Report, Path | None, int]:
    """The report so far, and the file of refused lines with its size; of an import that is resumed, those it had."""
    kept = import_progress(store, import_id)
    if kept and kept["finished"]:
        click.echo(f"This file was imported so before, up to {kept['modified_date']:%Y-%m-%d %H:%M} UTC.")
    elif kept and not resume:
        click.echo(f"An import of this file broke off behind {kept['report']['rows']:,} rows; --resume goes on there.")
    if not resume:
        return Report(), None, 0
    if kept is None or kept["finished"]:
        raise click.UsageError("There is no import of this file, with these options, that broke off.")
    path = Path(kept["refused_file"]) if kept["refused_file"] else None
    if path is not None and (not path.exists() or path.stat().st_size < kept["refused_bytes"]):
        message = f"{path} is gone or changed, to which refused lines were to be added. Import without --resume."
        raise click.UsageError(message)
    return Report.of(kept["report"]), path, kept["refused_bytes"]


def _show(file: Path, size: int, source: Source) -> None:
    """Tell what the file is taken for."""
    click.echo(f"{file.name}: {size:,} bytes, {', '.join(source.described())}")
    if isinstance(source, CsvSource):
        click.echo(table(("COLUMN", "FIELD", ""), map(_shown, source.columns)))


def _shown(column: Column) -> tuple[str, str, str]:
    because = "" if column.because == "known name" else column.because
    return (column.name or f"(column {column.index + 1})", column.field or "(left out)", because)
