"""The options of an import job, as the import code takes them: for the worker."""

from dataclasses import replace

from osdi.access.tokens import IMPORTER
from osdi.documents import ReadOnlyDocument
from osdi.importing.csv_files.encoding import ENCODINGS
from osdi.importing.importer import Choices
from osdi.importing.jobs.options import DELIMITERS
from osdi.importing.sources import CsvChoices


def csv_choices(options: ReadOnlyDocument) -> CsvChoices:
    """Returns the options about reading a CSV file."""
    return CsvChoices(
        encoding=ENCODINGS.get(options.get("encoding", "")),
        delimiter=DELIMITERS.get(options.get("delimiter", "")),
        mapped=dict(options.get("mapped", ())),
        ignored=options.get("ignored", ()),
        system=options.get("system"),
        dates=options.get("dates"),
        tag_separator=options.get("tag_separator"),
        unsubscribed=options.get("unsubscribed", False),
        action_date=options.get("action_date"),
    )


def row_choices(job: ReadOnlyDocument) -> Choices:
    """Returns the options about importing a row. The member who made the job is stated as the editor."""
    caller = replace(IMPORTER, person_id=job.get("person_id"))
    return Choices(job.get("campaign_id"), job["options"].get("create_tags", False), silent=True, caller=caller)
