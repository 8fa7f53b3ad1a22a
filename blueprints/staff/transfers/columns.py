"""The columns of an uploaded file: the member keeps or changes the field that is proposed for each."""

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import store
from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page
from blueprints.staff.transfers.access import IMPORTS
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.importing.csv_files.encoding import ENCODINGS
from osdi.importing.jobs import job_actions
from osdi.importing.jobs.field_choices import column_rows, field_groups
from osdi.importing.jobs.job import OF_MEMBER
from osdi.importing.jobs.options import CUSTOM, LEFT_OUT


@pages.get("/imports/<import_id>/columns", access=IMPORTS)
def import_columns(import_id: str) -> AnyResponse:
    """Show the columns of a file with the proposed fields"""
    job = job_actions.get_job(store(), import_id)
    if job["state"] not in OF_MEMBER:
        return redirect(url_for("staff.import_job", import_id=import_id, done=request.args.get("done")), 303)
    return _form(job)


@pages.post("/imports/<import_id>/columns", access=IMPORTS)
def choose_import_columns(import_id: str) -> AnyResponse:
    """Store the choice of fields and have the file checked, or read again"""
    job = job_actions.get_job(store(), import_id)
    try:
        job_actions.choose(store(), job, request.form, _fields(job), read_again=request.form.get("act") == "read_again")
    except OsdiError as error:
        if error.status != 400:
            raise
        g.rejected = error.descriptions[0].error_code
        named = {(each.properties or ("form",))[0]: each.description for each in error.descriptions}
        return _form(job, 422, named)
    return redirect(url_for("staff.import_job", import_id=import_id, done="import_checking"), 303)


def _fields(job: Document) -> list[str]:
    """Returns the sent choice of each column; a column that was not sent makes the list shorter."""
    names = (f"column-{index}" for index in range(len(job["columns"])))
    return [request.form[name] for name in names if name in request.form]


def _form(job: Document, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    return page(
        "transfers/columns.html",
        status,
        job=job,
        rows=list(column_rows(job)),
        groups=field_groups(job["kind"]),
        custom=CUSTOM,
        left_out=LEFT_OUT,
        encodings=[(each, each) for each in ENCODINGS],
        typed=request.form if errors else job["options"],
        sent=request.form,
        errors=errors or {},
    )
