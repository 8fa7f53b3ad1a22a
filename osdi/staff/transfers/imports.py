"""The list of imports, and the page of one, with names of members and campaigns and how far the worker is."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document
from osdi.ids import now
from osdi.importing.jobs import job_actions, jobs_store
from osdi.importing.jobs.job import CHECKING, DONE, IMPORTING, OF_WORKER, READING, waits_for_worker
from osdi.importing.report import Report
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign_list import title_of
from osdi.store import Store
from osdi.store.indexes import STAFF

MAX_CAMPAIGNS: Final = 200
AWAY_TEXT: Final = "No worker has taken up this import. It waits, and begins when a worker runs."
BUSY_TEXT: Final = "The worker is busy with another import. This one follows."
DOING: Final = {READING: "The worker reads the file.", CHECKING: "Checked", IMPORTING: "Imported"}


@dataclass(frozen=True)
class ImportRow:
    """An import of the list."""

    import_id: str
    file_name: str
    kind: str
    state: str
    begun: dt.datetime
    member: str
    rows: int | None


@dataclass(frozen=True)
class ImportPage:
    """An import: its document, report, member and campaign, and what the worker does.

    `percent` is None while it is unknown.
    """

    job: Document
    report: Report | None
    member: str
    campaign: str | None
    doing: str
    percent: int | None
    is_away: bool

    @property
    def at_work(self) -> bool:
        """True while the worker has to act on the import."""
        return self.job["state"] in OF_WORKER

    @property
    def has_rejected_rows(self) -> bool:
        """True if the file of rejected rows can be downloaded."""
        return job_actions.has_rejected_rows(self.job)


def import_list(store: Store) -> list[ImportRow]:
    """Returns the latest imports, the newest first. Raises OsdiError 503."""
    jobs = jobs_store.latest_jobs(store)
    names = _names(store, sorted({each["staff_id"] for each in jobs}))
    return [
        ImportRow(
            import_id=each["_id"],
            file_name=each["file_name"],
            kind=each["kind"],
            state=each["state"],
            begun=each["created_date"],
            member=str(names.get(each["staff_id"], each["staff_id"])),
            rows=each["report"]["rows"] if each["state"] == DONE else None,
        )
        for each in jobs
    ]


def import_page(store: Store, import_id: str) -> ImportPage:
    """Returns what the page of an import shows. Raises OsdiError 404, 503."""
    job, timestamp = job_actions.get_job(store, import_id), now()
    report = Report.of(job["report"]) if "report" in job else None
    campaign_id = job.get("campaign_id")
    campaign = store.get(ADVOCACY_CAMPAIGN.collection, campaign_id) if campaign_id else None
    is_away = waits_for_worker(job, timestamp)
    is_busy = is_away and jobs_store.others_are_leased(store, import_id, timestamp)
    return ImportPage(
        job=job,
        report=report,
        member=str(_names(store, [job["staff_id"]]).get(job["staff_id"], job["staff_id"])),
        campaign=title_of(campaign) if campaign else campaign_id,
        doing=BUSY_TEXT if is_busy else AWAY_TEXT if is_away else _doing(job, report),
        percent=_percent(job),
        is_away=is_away and not is_busy,
    )


def campaign_choices(store: Store) -> list[tuple[str, str]]:
    """Returns the id and the title of the newest campaigns."""
    found = store.find(ADVOCACY_CAMPAIGN.collection, {}, sort=("-_id",), limit=MAX_CAMPAIGNS, fields=("title", "name"))
    return [(each["_id"], title_of(each)) for each in found]


def progress_of(page: ImportPage) -> Mapping[str, str | int | None]:
    """Returns what the script of the page asks for."""
    return {"state": page.job["state"], "doing": page.doing, "percent": page.percent}


def _doing(job: Document, report: Report | None) -> str:
    state = job["state"]
    if state not in OF_WORKER or state == READING or report is None:
        return DOING[READING] if state == READING else "The worker begins." if state in OF_WORKER else ""
    return f"{DOING[state]}: {report.rows:,} rows, {_percent(job)} % of the file."


def _percent(job: Document) -> int | None:
    if job["state"] not in (CHECKING, IMPORTING):
        return None
    return min(100, 100 * int(job["position"]) // max(1, int(job["bytes"])))


def _names(store: Store, ids: list[str]) -> dict[str, str]:
    return {each["_id"]: each["name"] for each in store.by_ids(STAFF, ids)}
