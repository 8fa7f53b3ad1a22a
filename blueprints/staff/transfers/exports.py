"""Exports: people, outreaches and campaigns as files, and who has exported what."""

from typing import Final

from flask import Response, g, request

from blueprints.http.context import hal, settings, store
from blueprints.operations.downloads import CSV_HEADER, streamed
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page, signed_in
from osdi.access.tokens import READ
from osdi.errors import OsdiError
from osdi.staff.transfers.exports import CSV, WHAT, Wanted, export_list, export_parts, noted
from osdi.staff.transfers.imports import campaign_choices

TYPES: Final = {CSV: CSV_HEADER}
NDJSON_TYPE: Final = "application/x-ndjson"


@pages.get("/exports", access=Access(READ))
def exports() -> Response:
    """List the exports, with the form for another one"""
    return _form()


@pages.post("/exports", access=Access(READ, fresh=True))
def download_export() -> Response:
    """Send an export as a file"""
    wanted = _wanted()
    try:
        parts = export_parts(store(), settings(), hal(), wanted)
    except OsdiError as error:
        if error.status != 400:
            raise
        g.rejected = error.descriptions[0].error_code
        named = {(each.properties or ("form",))[0]: each.description for each in error.descriptions}
        return _form(422, named)
    kind = TYPES.get(wanted.format, NDJSON_TYPE)
    noted_parts = noted(store(), settings(), signed_in().member["_id"], wanted, parts)
    return streamed(noted_parts, wanted.file_name, kind)


def _wanted() -> Wanted:
    text = {name: request.form.get(name, "") for name in ("what", "format", "campaign")}
    return Wanted(text["what"], text["format"], text["campaign"], bom="bom" in request.form)


def _form(status: int = 200, errors: dict[str, str] | None = None) -> Response:
    return page(
        "transfers/exports.html",
        status,
        rows=export_list(store()),
        campaigns=campaign_choices(store()),
        what=[(each, each) for each in WHAT],
        typed=request.form,
        errors=errors or {},
    )
