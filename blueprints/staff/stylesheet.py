"""Sends the style sheet of the staff pages; its address changes with its content, so browsers keep it for good."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from flask import Response, abort, request, url_for

from blueprints.staff.blueprint import PUBLIC, pages

FILE: Final = Path(__file__).parent / "assets" / "staff.css"
ONE_YEAR: Final = 31_536_000


@pages.get("/assets/<version>/staff.css", access=PUBLIC)
def stylesheet(version: str) -> Response:
    """Send the style sheet"""
    compressed, current = _content()
    if version != current:
        abort(404)
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(compressed if packed else gzip.decompress(compressed), mimetype="text/css")
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.cache_control.public = True
    response.cache_control.max_age = ONE_YEAR
    response.cache_control.immutable = True
    return response


def stylesheet_url() -> str:
    """Returns the address of the style sheet."""
    return url_for("staff.stylesheet", version=_content()[1])


@cache
def _content() -> tuple[bytes, str]:
    """Returns the compressed style sheet and its version."""
    content = FILE.read_bytes()
    return gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:12]
