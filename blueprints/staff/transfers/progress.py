"""The progress of an import for the script of its page, and this script. Without it the page has a link to refresh."""

from functools import cache
from pathlib import Path
from typing import Final

from flask import Response, abort, jsonify, url_for

from blueprints.browser.compressed_files import Asset, compressed_asset, immutable_response
from blueprints.http.context import store
from blueprints.staff.blueprint import PUBLIC, pages
from blueprints.staff.transfers.access import IMPORTS
from osdi.staff.transfers.imports import import_page, progress_of

FILE: Final = Path(__file__).parents[1] / "assets" / "progress.js"


@pages.get("/imports/<import_id>/progress.json", access=IMPORTS)
def import_progress(import_id: str) -> Response:
    """Send the state of an import and how far it is"""
    return jsonify(progress_of(import_page(store(), import_id)))


@pages.get("/assets/<version>/progress.js", access=PUBLIC)
def progress_script(version: str) -> Response:
    """Send the script"""
    if version != _asset().version:
        abort(404)
    return immutable_response(_asset())


def progress_script_url() -> str:
    """Returns the address of the script."""
    return url_for("staff.progress_script", version=_asset().version)


@cache
def _asset() -> Asset:
    return compressed_asset(FILE.name, FILE.read_bytes())
