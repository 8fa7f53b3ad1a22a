"""Sends the script that copies embed codes; its address changes with its content."""

from functools import cache
from pathlib import Path
from typing import Final

from flask import Response, abort, url_for

from blueprints.browser.compressed_files import Asset, compressed_asset, immutable_response
from blueprints.staff.blueprint import PUBLIC, pages

FILE: Final = Path(__file__).parents[1] / "assets" / "copy.js"


@pages.get("/assets/<version>/copy.js", access=PUBLIC)
def copy_script(version: str) -> Response:
    """Send the script"""
    if version != _asset().version:
        abort(404)
    return immutable_response(_asset())


def script_url() -> str:
    """Returns the address of the script."""
    return url_for("staff.copy_script", version=_asset().version)


@cache
def _asset() -> Asset:
    return compressed_asset(FILE.name, FILE.read_bytes())
