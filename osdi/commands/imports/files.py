"""The commands `import people` and `import outreaches`, which read files, and the group of all imports.

Before an import the command shows its reading of the columns, and afterwards the result. docs/importing.md explains it.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import orjson

from osdi.commands.imports.server import import_osdi
from osdi.commands.output import confirm, echo, one_line, table
from osdi.commands.register import CommandContext, database_command
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE, Column
from osdi.importing.csv_files.encoding import ENCODINGS, Survey, survey
from osdi.importing.csv_files.file_formats import NDJSON, check_format
from osdi.importing.dry_run_store import DryRunStore
from osdi.importing.file_import import Progress, run
from osdi.importing.importer import WAIT_SECONDS, Choices, RowImporter, row_importers
from osdi.importing.progress_store import import_progress
from osdi.importing.rejected_rows import RejectedFile
from osdi.importing.report import Report
from osdi.importing.sources import CsvChoices, CsvSource, NdjsonSource, Source
from osdi.settings import Settings
from osdi.store import Store
from osdi.values.dates import DayFirst, timestamp

THREADS: Final = 8
LINE_AFTER_ROWS: Final = 5_000
MAX_TAGS_SHOWN: Final = 50
DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class ImportOptions:
    """The options of an import of a file, by the names that click gives them."""

    mapped: tuple[str, ...]
    ignored: tuple[str, ...]
    ignore_unknown: bool
    system: str | None
    dates: DayFirst | None
    tag_separator: str | None
    delimiter: str | None
    encoding: str | None
    create_tags: bool
    dry_run: bool
    resume: bool
    silent: bool
    include_erased: bool
    threads: int
    yes: bool
    unsubscribed: bool
    campaign_id: str | None = None
    action_date: str | None = None

    def of_csv(self) -> list[str]:
        """Returns the options of the command line that only have an effect on CSV files."""
        given = {
            "--map": self.mapped,
            "--ignore": self.ignored,
            "--ignore-unknown": self.ignore_unknown,
            "--system": self.system,
            "--dates": self.dates is not None,
            "--tag-separator": self.tag_separator,
            "--delimiter": self.delimiter,
            "--encoding": self.encoding,
            "--unsubscribed": self.unsubscribed,
            "--action-date": self.action_date,
        }
        return [option for option, value in given.items() if value]

    def csv_choices(self) -> CsvChoices:
        """Returns the options about reading a CSV file. Raises click.UsageError for a wrong --map."""
        mapped = {}
        for each in self.mapped:
            column, equals, field = each.rpartition("=")
            if not equals:
                raise click.UsageError(f"--map {each}: write COLUMN=FIELD.")
            mapped[column] = field
        return CsvChoices(
            encoding=ENCODINGS.get(self.encoding or ""),
            delimiter=DELIMITERS.get(self.delimiter or ""),
            mapped=mapped,
            ignored=self.ignored,
            ignore_unknown=self.ignore_unknown,
            system=self.system,
            dates=self.dates,
            tag_separator=self.tag_separator,
            unsubscribed=self.unsubscribed,
            action_date=self._timestamp(),
        )

    def _timestamp(self) -> str | None:
        """Returns the date of rows without one, in ISO 8601. Raises click.UsageError for a text that is no date."""
        try:
            return timestamp(self.action_date, self.dates) if self.action_date else None
        except ValueError as error:
            raise click.UsageError(f"--action-date {self.action_date}: {error}") from error

    def row_choices(self) -> Choices:
        """Returns the options about importing a row."""
        return Choices(self.campaign_id, self.create_tags, self.silent, include_erased=self.include_erased)


def file_options(command: Function) -> Function:
    """Adds the options that both kinds of files have; the command gets them as keyword arguments."""
    options = (
        click.option(
            "--map",
            "mapped",
            multiple=True,
            metavar="COLUMN=FIELD",
            help="The field of a column. Fields of flags are opted_out, opted_in, no_calls, no_texts and no_contact.",
        ),
        click.option("--ignore", "ignored", multiple=True, metavar="COLUMN", help="Leave a column out."),
        click.option("--ignore-unknown", is_flag=True, help="Make no custom fields of unknown columns."),
        click.option("--system", metavar="NAME", help="The system whose ids the column `id` has, such as crm."),
        click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="The order of day and month in 1/2/2024."),
        click.option(
            "--tag-separator", metavar="TEXT", help="The text between two tags. Default: a semicolon or comma."
        ),
        click.option(
            "--unsubscribed", is_flag=True, help="Nobody in the file wants e-mails: unsubscribe all addresses."
        ),
        click.option("--delimiter", type=click.Choice(list(DELIMITERS)), help="Default: guessed."),
        click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Default: guessed."),
        click.option("--create-tags", is_flag=True, help="Create tags that do not exist."),
        click.option("--dry-run", is_flag=True, help="Write nothing; show the result that the import would have."),
        click.option("--resume", is_flag=True, help="Continue an import of this file that was interrupted."),
        click.option(
            "--silent/--notify", default=True, help="Without or with webhooks and follow-ups. Default: without."
        ),
        click.option("--include-erased", is_flag=True, help="Import people who were erased, too."),
        click.option("--threads", type=click.IntRange(1, 64), default=THREADS, show_default=True),
        click.option("--yes", is_flag=True, help="Do not ask for confirmation."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("import")
def imports() -> None:
    """Import data from a file or an OSDI server."""


@imports.command("people")
@click.argument("file", type=FILE)
@file_options
@database_command(wait_seconds=WAIT_SECONDS)
def people(context: CommandContext, /, file: Path, **options: Any) -> None:
    """Import the people of FILE: a CSV file, or NDJSON with one OSDI person in each line."""
    _import(context, PEOPLE, file, ImportOptions(**options))


@imports.command("outreaches")
@click.argument("file", type=FILE)
@click.option("--campaign", "campaign_id", help="Id of the campaign of all rows. Default: each row names its campaign.")
@click.option("--action-date", metavar="DATE", help="The date of rows that have none.")
@file_options
@database_command(wait_seconds=WAIT_SECONDS)
def outreaches(context: CommandContext, /, file: Path, **options: Any) -> None:
    """Import the outreaches of FILE, with the people who made them."""
    _import(context, OUTREACHES, file, ImportOptions(**options))


imports.add_command(import_osdi)


def _import(context: CommandContext, kind: str, file: Path, options: ImportOptions) -> None:
    """Imports one file. Raises click.UsageError for a wrong file or option."""
    if options.dry_run and options.resume:
        raise click.UsageError("Leave out --resume: a dry run stores nothing that it could continue from.")
    _check_file(file)
    surveyed = survey(file)
    source = _source(file, surveyed, kind, options, context.settings)
    store = _store(context.settings, options)
    try:
        importer = row_importers(store, context.settings, context.load_body, options.row_choices(), (kind,))[kind]
        if (campaign_id := options.campaign_id) is not None:
            importer.retry_while_unavailable(lambda: importer.reference.campaign(campaign_id))
        _import_rows(importer, source, file, surveyed, options)
    except BrokenPipeError:  # the reader of the output has ended
        raise
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'Rejected rows'}: {error.strerror}.") from error
    finally:
        source.close()
        store.close()


def _check_file(file: Path) -> None:
    """Raises click.UsageError for a file that cannot be read twice, or whose name cannot be shown and stored."""
    if not file.is_file():
        raise click.UsageError(f"{file} is no regular file. Save the data to a file first: it is read twice.")
    try:
        str(file.resolve()).encode()
    except UnicodeEncodeError:
        raise click.UsageError(f"Rename {click.format_filename(file)}: its name is not UTF-8.") from None


def _source(file: Path, surveyed: Survey, kind: str, options: ImportOptions, settings: Settings) -> Source:
    """Returns the reader of the file. Raises click.UsageError for a file whose columns are unknown."""
    try:
        if file.suffix.lower() in NDJSON:
            if of_csv := options.of_csv():
                raise ValueError(f"Leave out {', '.join(of_csv)}: only CSV files have columns.")
            return NdjsonSource(file, kind)
        check_format(file)
        return CsvSource(file, surveyed, kind, options.csv_choices(), settings.namespace, options.campaign_id)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _store(settings: Settings, options: ImportOptions) -> Store:
    if options.dry_run:
        return DryRunStore(settings.mongodb_uri)
    return Store(settings.mongodb_uri, cache_seconds=settings.cache_seconds, queues_events=not options.silent)


def _import_rows(importer: RowImporter, source: Source, file: Path, surveyed: Survey, options: ImportOptions) -> None:
    """Shows the reading of the file, asks for confirmation, imports the rows and prints the report."""
    dry = options.dry_run
    import_id = _import_id(importer, surveyed.digest, options)
    kept = importer.retry_while_unavailable(lambda: import_progress(importer.store, import_id))
    report, path, size = _earlier_progress(kept, resume=options.resume)
    _show(file, surveyed.size, source)
    if not dry and not options.yes and sys.stdin.isatty():
        confirm("Import it?")
    header, delimiter = (source.header, source.delimiter) if isinstance(source, CsvSource) else (None, ",")
    rejected = RejectedFile(file, header, delimiter, path=path, size=size)
    progress = Progress(None if dry else importer.store, import_id, {"file": file.name, "kind": importer.kind})
    _run(source, importer, rejected, progress, report, surveyed.size, 1 if dry else options.threads)
    for line in report.summary(dry=dry):
        echo(line)
    for line in _created_tags(importer, dry=dry):
        echo(line)
    if found := rejected.without_repeats():
        echo(f"The rejected rows are in {found}. Correct them and import that file.")
    if dry:
        echo("Nothing was written: this was a dry run.")


def _import_id(importer: RowImporter, digest: str, options: ImportOptions) -> str:
    """Returns an id that the same import has again: of the same content, with the same options that change a row."""
    choices, region = asdict(options.csv_choices()), importer.settings.phone_region
    identity = [importer.kind, digest, options.campaign_id, choices, region]
    return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _earlier_progress(kept: Document | None, *, resume: bool) -> tuple[Report, Path | None, int]:
    """Returns the report so far, and the file of rejected rows with its size; empty ones unless `resume`.

    `kept` is the stored progress. Raises click.UsageError if there is nothing to resume.
    """
    if kept and kept["finished"]:
        echo(f"The same file was imported before, until {kept['modified_date']:%Y-%m-%d %H:%M} UTC.")
    elif kept and not resume:
        echo(f"An import of this file was interrupted after {kept['report']['rows']:,} rows. --resume continues it.")
    if not resume:
        return Report(), None, 0
    if kept is None or kept["finished"]:
        raise click.UsageError("No import of this file with these options was interrupted. Leave out --resume.")
    path = Path(kept["rejected_file"]) if kept["rejected_file"] else None
    if path is not None and (not path.exists() or path.stat().st_size < kept["rejected_bytes"]):
        message = f"{path}, the file of rejected rows, is gone or was changed. Import without --resume."
        raise click.UsageError(message)
    return Report.of(kept["report"]), path, kept["rejected_bytes"]


def _show(file: Path, size: int, source: Source) -> None:
    """Prints how the file is read."""
    echo(f"{file.name}: {size:,} bytes, {', '.join(source.described())}")
    if isinstance(source, CsvSource):
        echo(table(("COLUMN", "FIELD", ""), _column_rows(source.columns)))


def _column_rows(columns: Sequence[Column]) -> Iterator[Sequence[str]]:
    """Yields a row for each column; columns without a name that follow each other have one row."""
    for unnamed, group in groupby(columns, key=lambda each: not each.name):
        found = list(group)
        if unnamed:
            first, last = found[0].index + 1, found[-1].index + 1
            name = f"(column {first})" if first == last else f"(columns {first} to {last})"
            yield name, "(left out)", found[0].because
        else:
            yield from map(_column_row, found)


def _column_row(column: Column) -> Sequence[str]:
    because = "" if column.because == "known name" else column.because
    return column.name, column.field or "(left out)", because


def _created_tags(importer: RowImporter, *, dry: bool) -> Iterator[str]:
    """Yields lines with the tags that the import creates, so that a wrong separator is seen."""
    tags = [one_line(name) for name in importer.created_tags]
    if tags:
        yield f"Tags that {'would be' if dry else 'were'} created ({len(tags):,}; --tag-separator splits them):"
        yield from (f"  {name}" for name in tags[:MAX_TAGS_SHOWN])
        if len(tags) > MAX_TAGS_SHOWN:
            yield f"  and {len(tags) - MAX_TAGS_SHOWN:,} more"


def _run(
    source: Source,
    importer: RowImporter,
    rejected: RejectedFile,
    progress: Progress,
    report: Report,
    size: int,
    threads: int,
) -> None:
    """Imports the rows with a progress bar, or without a terminal with a line from time to time."""
    try:
        if sys.stdout.isatty():
            with click.progressbar(length=size, label="Importing") as bar:
                run(source, importer, rejected, progress, report, threads=threads, shown=_moving(bar))
        else:
            run(source, importer, rejected, progress, report, threads=threads, shown=_printing(size))
    except (KeyboardInterrupt, click.Abort, OsdiError, OSError) as error:
        hint = "This was a dry run." if progress.store is None else "The same command with --resume continues."
        echo(f"\nStopped after {report.rows:,} rows. {hint}", err=True)
        if isinstance(error, OsdiError | OSError):
            raise
        raise click.Abort from None
    finally:
        rejected.close()


def _moving(bar: Any) -> Callable[[Report, int], None]:
    return lambda _, position: bar.update(position - bar.pos)


def _printing(size: int) -> Callable[[Report, int], None]:
    printed = 0

    def show(report: Report, position: int) -> None:
        nonlocal printed
        if report.rows - printed >= LINE_AFTER_ROWS:
            printed = report.rows
            percent = 100 * position // max(size, 1)
            echo(f"{report.rows:,} rows ({percent} % of the file), {report.rejected:,} rejected")

    return show
