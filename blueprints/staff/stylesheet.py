"""Sends the style sheet of the staff pages; its address changes with its content, so browsers keep it for good."""

from functools import cache
from pathlib import Path
from typing import Final

from flask import Response, abort, url_for

from blueprints.browser.compressed_files import Asset, compressed_asset, immutable_response
from blueprints.staff.blueprint import PUBLIC, pages

FILE: Final = Path(__file__).parent / "assets" / "staff.css"


@pages.get("/assets/<version>/staff.css", access=PUBLIC)
def stylesheet(version: str) -> Response:
    """Send the style sheet"""
    if version != _asset().version:
        abort(404)
    return immutable_response(_asset())


def stylesheet_url() -> str:
    """Returns the address of the style sheet."""
    return url_for("staff.stylesheet", version=_asset().version)


@cache
def _asset() -> Asset:
    return compressed_asset(FILE.name, FILE.read_bytes())
