"""The table of postal codes of a campaign: checked, stored and deleted. A page asks before a table is lost."""

from typing import Final

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import store
from blueprints.operations.downloads import CSV_HEADER
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_or_404, campaign_page
from osdi.access.tokens import WRITE
from osdi.campaign_pages.page_settings import POSTAL_CODE, PageSettings
from osdi.campaign_pages.postal_codes.postal_codes_store import has_table
from osdi.campaign_pages.postal_codes.transfer import download, upload
from osdi.documents import Document, Json
from osdi.errors import OsdiError, invalid, too_large
from osdi.fields.limits import MAX_POSTAL_CODE_BYTES, MAX_POSTAL_CODE_LINES
from osdi.staff.campaign.postal_codes import delete_if_unchanged, deletion, replacement

# A longer table is not shown in the field again: its file is chosen once more.
MAX_SHOWN_LENGTH: Final = 200_000
# The file, a second byte for each line break, as a browser sends it in a field, and the other controls of the form.
MAX_FORM_BYTES: Final = MAX_POSTAL_CODE_BYTES + MAX_POSTAL_CODE_LINES + 100_000


@pages.get("/campaigns/<advocacy_campaign_id>/postal-codes", access=Access(WRITE, shows=True))
def postal_codes(advocacy_campaign_id: str) -> Response:
    """Show the form for a table of postal codes"""
    return _form(campaign_or_404(advocacy_campaign_id))


@pages.post(
    "/campaigns/<advocacy_campaign_id>/postal-codes", access=Access(WRITE, shows=True, body_bytes=MAX_FORM_BYTES)
)
def upload_postal_codes(advocacy_campaign_id: str) -> AnyResponse:
    """Check a table of postal codes, or store it"""
    campaign, storing, text = campaign_or_404(advocacy_campaign_id), request.form.get("act") == "store", ""
    try:
        text = _sent_table()
        change = replacement(store(), campaign, text, confirmed=request.form.get("replaces")) if storing else None
        if change is not None:
            return campaign_page("replace_postal_codes.html", campaign, change=change, table=text)
        report = upload(store(), campaign, text, dry_run=not storing)
    except OsdiError as error:
        if error.status not in (400, 413):
            raise
        return _form(campaign, 422, text=text, errors=[each.sentence for each in error.descriptions])
    if storing:
        return redirect(
            url_for("staff.campaign", advocacy_campaign_id=campaign["_id"], done="postal_codes_stored"), 303
        )
    return _form(campaign, text=text, report=report)


@pages.get("/campaigns/<advocacy_campaign_id>/postal-codes/delete", access=Access(WRITE, shows=True))
def deleting_postal_codes(advocacy_campaign_id: str) -> Response:
    """Ask before the table of postal codes is deleted"""
    return _deletion_page(campaign_or_404(advocacy_campaign_id))


@pages.post("/campaigns/<advocacy_campaign_id>/postal-codes/delete", access=Access(WRITE, shows=True))
def delete_postal_codes(advocacy_campaign_id: str) -> AnyResponse:
    """Delete the table of postal codes"""
    campaign = campaign_or_404(advocacy_campaign_id)
    if not delete_if_unchanged(store(), campaign, request.form.get("replaces", "")):
        return _deletion_page(campaign, 412)
    return redirect(
        url_for("staff.postal_codes", advocacy_campaign_id=campaign["_id"], done="postal_codes_deleted"), 303
    )


@pages.get("/campaigns/<advocacy_campaign_id>/postal-codes.csv", access=Access(WRITE, shows=True))
def postal_codes_file(advocacy_campaign_id: str) -> Response:
    """Send the table of postal codes as CSV"""
    response = Response(download(store(), campaign_or_404(advocacy_campaign_id)), content_type=CSV_HEADER)
    response.headers["Content-Disposition"] = 'attachment; filename="postal-codes.csv"'
    return response


def _sent_table() -> str:
    """Returns the chosen file, or else the text of the field. Raises OsdiError 400 or 413."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return request.form.get("table", "")
    content = file.read(MAX_POSTAL_CODE_BYTES + 1)
    if len(content) > MAX_POSTAL_CODE_BYTES:
        raise too_large(MAX_POSTAL_CODE_BYTES)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise invalid("The file is not a text in UTF-8. Save it as “CSV UTF-8”.") from error


def _deletion_page(campaign: Document, status: int = 200) -> Response:
    selection = PageSettings.of(campaign).targets.selection
    return campaign_page(
        "delete_postal_codes.html",
        campaign,
        status,
        change=deletion(store(), campaign),
        by_postal_code=selection == POSTAL_CODE,
    )


def _form(
    campaign: Document,
    status: int = 200,
    *,
    text: str = "",
    report: Json | None = None,
    errors: list[str] | None = None,
) -> Response:
    return campaign_page(
        "postal_codes.html",
        campaign,
        status,
        table=text if len(text) <= MAX_SHOWN_LENGTH else "",
        long=len(text) > MAX_SHOWN_LENGTH,
        report=report,
        errors=errors or [],
        has_table=has_table(store(), campaign["_id"]),
        targets=len(campaign.get("target_list", ())),
    )
