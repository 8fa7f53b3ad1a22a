"""Opens the file of a job, and finds its columns, for the worker. Raises ValueError whose text is for the member."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Final

from osdi.documents import Document
from osdi.importing.csv_files.column_mapping import Column
from osdi.importing.csv_files.consent_columns import UnclearColumns
from osdi.importing.csv_files.encoding import Survey, survey
from osdi.importing.csv_files.file_formats import NDJSON, check_format
from osdi.importing.jobs.import_choices import csv_choices
from osdi.importing.jobs.job import COLUMNS, FAILED
from osdi.importing.jobs.parts_store import read_parts
from osdi.importing.sources import CsvSource, NdjsonSource, Source
from osdi.store import Store

# The page has a choice for each column. The command has no limit.
MAX_COLUMNS: Final = 250
OTHER: Final = "other"
GONE: Final = "The uploaded file is no longer stored. Upload it again."
EMPTY: Final = "The file is empty."


def fetch_file(store: Store, job: Document, folder: Path) -> Path:
    """Writes the uploaded file of a job to a folder. Raises OsdiError 503, OSError, and ValueError if it is gone."""
    path = folder / str(job["file_name"])
    try:
        with path.open("wb") as file:
            for part in read_parts(store, job["file_parts"]):
                file.write(part)
    except LookupError as error:
        raise ValueError(GONE) from error
    return path


def opened(path: Path, job: Document, namespace: str) -> Source:
    """Returns the reader of the file. Raises ValueError, of which an UnclearColumns is for the member to decide."""
    if path.suffix.lower() in NDJSON:
        return NdjsonSource(path, job["kind"])
    kept: Mapping[str, Any] | None = job.get("survey")
    surveyed = Survey(**kept) if kept else survey(path)
    return CsvSource(path, surveyed, job["kind"], csv_choices(job["options"]), namespace, job.get("campaign_id"))


def read_columns(path: Path, job: Document, namespace: str) -> Document:
    """Returns what the job knows after its file was read: the next state, the columns, and a problem if there is one.

    Raises OSError.
    """
    try:
        if not path.stat().st_size:
            raise ValueError(EMPTY)
        if path.suffix.lower() not in NDJSON:
            check_format(path)
            job = {**job, "survey": asdict(survey(path))}
        source = opened(path, job, namespace)
    except UnclearColumns as unclear:
        found = {"state": COLUMNS, "problem": problem_of(unclear), "survey": job["survey"]}
        return _with_columns(found, unclear.columns)
    except ValueError as error:
        return failed(str(error))
    found = {"state": COLUMNS, "described": source.described(), "problem": None}
    source.close()
    if isinstance(source, CsvSource):
        return _with_columns(found | {"survey": job["survey"]}, source.columns)
    return found


def _with_columns(found: Document, columns: tuple[Column, ...]) -> Document:
    if len(columns) > MAX_COLUMNS:
        return failed(
            f"The file has {len(columns):,} columns. A page can show {MAX_COLUMNS}. Remove the columns that you do not"
            " need, or use the command on the server."
        )
    return found | {"columns": [{"name": each.name, "field": each.field, "because": each.because} for each in columns]}


def problem_of(error: ValueError) -> Document:
    """Returns an error about the columns as the job stores it: its reason, the columns in question, and a text."""
    if isinstance(error, UnclearColumns):
        return {"reason": error.reason, "names": list(error.names), "text": ""}
    return {"reason": OTHER, "names": [], "text": str(error)}


def failed(text: str) -> Document:
    """Returns the fields of a job that cannot go on, with the reason for the member."""
    return {"state": FAILED, "problem": {"reason": OTHER, "names": [], "text": text[:1_000]}}


def fetch_rejected(store: Store, job: Document, path: Path) -> None:
    """Writes the rejected rows of an interrupted import to `path`. Raises OsdiError 503, OSError, ValueError."""
    try:
        with path.open("wb") as file:
            file.writelines(chain(read_parts(store, job["rejected_parts"])))
    except LookupError as error:
        raise ValueError(GONE) from error
