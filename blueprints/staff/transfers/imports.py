"""Imports of uploaded files: the list, the upload, the page of one import, and its start, cancellation and deletion."""

from typing import Final

from flask import Response, g, redirect, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import settings, store
from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page, signed_in
from blueprints.staff.transfers.access import IMPORTS, UPLOADS
from blueprints.staff.transfers.progress import progress_script_url
from osdi.errors import OsdiError, not_found
from osdi.importing.csv_files.file_formats import NDJSON
from osdi.importing.jobs import job_actions
from osdi.importing.jobs.job import COLUMNS
from osdi.importing.jobs.parts_store import read_parts
from osdi.staff.transfers.imports import campaign_choices, import_list, import_page
from osdi.store import request_deadline
from osdi.store.indexes import IMPORT_JOBS

# Errors of an upload that its form shows.
OF_FORM: Final = (400, 409, 413)


@pages.get("/imports", access=IMPORTS)
def imports() -> Response:
    """List the imports, with the form for another one"""
    return _list()


@pages.post("/imports", access=UPLOADS)
def upload_import() -> AnyResponse:
    """Store an uploaded file, which the worker reads"""
    try:
        job_id = _upload()
    except OsdiError as error:
        if error.status not in OF_FORM:
            raise
        g.rejected = error.descriptions[0].error_code
        named = {(each.properties or ("file",))[0]: each.description for each in error.descriptions}
        return _list(422 if error.status == 400 else error.status, named)
    return redirect(url_for("staff.import_job", import_id=job_id, done="import_uploaded"), 303)


@pages.get("/imports/<import_id>", access=IMPORTS)
def import_job(import_id: str) -> AnyResponse:
    """Show how far an import is, and its result"""
    found = import_page(store(), import_id)
    if found.job["state"] == COLUMNS:
        return redirect(url_for("staff.import_columns", import_id=import_id, done=request.args.get("done")), 303)
    return page("transfers/import.html", found=found, script_url=progress_script_url)


@pages.post("/imports/<import_id>/start", access=IMPORTS)
def start_import(import_id: str) -> AnyResponse:
    """Start an import that was checked; a second press changes nothing"""
    job_actions.start(store(), settings(), import_id, request.form.get("check_id", ""))
    return redirect(url_for("staff.import_job", import_id=import_id, done="import_started"), 303)


@pages.get("/imports/<import_id>/cancel", access=IMPORTS)
def confirm_import_cancellation(import_id: str) -> Response:
    """Ask before an import is cancelled"""
    return page("transfers/cancel_import.html", found=import_page(store(), import_id))


@pages.post("/imports/<import_id>/cancel", access=IMPORTS)
def cancel_import(import_id: str) -> AnyResponse:
    """Cancel an import and delete its file"""
    job_actions.cancel(store(), import_id)
    return redirect(url_for("staff.import_job", import_id=import_id, done="import_canceled"), 303)


@pages.get("/imports/<import_id>/delete", access=IMPORTS)
def confirm_import_deletion(import_id: str) -> Response:
    """Ask before an import and its rejected rows are deleted"""
    return page("transfers/delete_import.html", found=import_page(store(), import_id))


@pages.post("/imports/<import_id>/delete", access=IMPORTS)
def delete_import(import_id: str) -> AnyResponse:
    """Delete an import that has ended"""
    job_actions.delete(store(), import_id)
    return redirect(url_for("staff.imports", done="import_deleted"), 303)


@pages.get("/imports/<import_id>/rejected.csv", access=IMPORTS)
def rejected_rows(import_id: str) -> Response:
    """Send the rejected rows as a file, to be corrected and uploaded again"""
    job = job_actions.get_job(store(), import_id)
    if not job_actions.has_rejected_rows(job):
        raise not_found("This import has no rejected rows.")
    # The file has personal data, so its download belongs into the audit log.
    g.audited, g.acted_on = True, [f"{IMPORT_JOBS}/{import_id}"]
    suffix = "ndjson" if job["file_name"].lower().endswith(NDJSON) else "csv"
    response = Response(read_parts(store(), job["rejected_parts"]), mimetype=f"text/{suffix}")
    response.headers["Content-Disposition"] = f'attachment; filename="rejected.{suffix}"'
    response.implicit_sequence_conversion = False
    return response


def _upload() -> str:
    """Stores the file of the form, and returns the id of its import. Raises OsdiError 400, 409, 413, 503."""
    request_deadline.end()  # a large file takes its time
    sent = request.files.get("file") or FileStorage()
    job = job_actions.upload(store(), settings(), signed_in().member, request.form, sent.filename or "", sent.stream)
    return str(job["_id"])


def _list(status: int = 200, errors: dict[str, str] | None = None) -> Response:
    return page(
        "transfers/imports.html",
        status,
        rows=import_list(store()),
        campaigns=campaign_choices(store()),
        limit=settings().max_import_bytes,
        days=settings().import_days,
        typed=request.form,
        errors=errors or {},
    )
