"""Style sheets and scripts of public campaign pages, and the scripts that other sites load.

The addresses in our pages contain a version, and their files never change. An organisation writes the addresses of
embed.js and record.js into its own site: they have no version, and browsers ask for them again after an hour.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from flask import Response, abort, url_for

from blueprints.act.blueprint import act
from blueprints.browser.compressed_files import (
    Asset,
    compressed_asset,
    immutable_response,
    lasting_response,
)
from blueprints.browser.documentation import asset_url
from osdi.campaign_pages.theme import DEFAULT_COLOUR, theme_of

FOLDER: Final = Path(__file__).parent / "assets"
# They import one another by name, so they have one version, which is their folder.
MODULES: Final = ("form.js", "frame.js")
# Other sites load these.
EMBED, RECORD = "embed.js", "record.js"
STYLE: Final = "page.css"
THEMED: Final = re.compile(r"page-([0-9a-f]{6})\.css")
ONE_MINUTE: Final = 60
ONE_HOUR: Final = 3600


@act.get("/assets/<string:version>/<string:name>")
def versioned_asset(version: str, name: str) -> Response:
    """Send a file that our pages load"""
    found = _asset(name)
    # While an upgrade replaces processes, a page of one version may ask a process of another one.
    response = immutable_response(found) if version == found.version else lasting_response(found, ONE_MINUTE)
    return _for_any_origin(response)


@act.get(f"/{EMBED}")
def embed_script() -> Response:
    """Send the script that improves the frames on another site's page"""
    return _for_any_origin(lasting_response(_file(EMBED), ONE_HOUR))


@act.get(f"/{RECORD}")
def record_script() -> Response:
    """Send the module that records outreaches from an organisation's own page"""
    return _for_any_origin(lasting_response(_file(RECORD), ONE_HOUR))


@act.app_context_processor
def asset_addresses() -> dict[str, Any]:
    """Returns the functions by which templates name the files."""
    return {"act_style_url": style_url, "act_script_url": script_url, "act_icon_url": icon_url}


def style_url(colour: str | None) -> str:
    """Returns the address of the style sheet in an organisation's colour, such as `#1d6a5c`."""
    return _url(f"page-{theme_of(colour or DEFAULT_COLOUR).button[1:]}.css")


def script_url() -> str:
    """Returns the address of the module that improves forms."""
    return _url("form.js")


def icon_url() -> str:
    """Returns the address of the icon of a page without logo."""
    return asset_url("favicon.svg")


def _url(name: str) -> str:
    return url_for("act.versioned_asset", version=_asset(name).version, name=name)


def _asset(name: str) -> Asset:
    """Returns a file of our pages. Aborts with 404 if there is none."""
    if name in MODULES:
        return _file(name)
    themed = THEMED.fullmatch(name)
    return _style(themed[1]) if themed else abort(404)


@cache
def _file(name: str) -> Asset:
    modules = b"".join((FOLDER / module).read_bytes() for module in MODULES) if name in MODULES else None
    return compressed_asset(name, (FOLDER / name).read_bytes(), modules)


@lru_cache(maxsize=256)
def _style(colour: str) -> Asset:
    """Returns the style sheet in a colour, as one file: a page loads little more than its text and its images."""
    return compressed_asset(STYLE, theme_of(colour).css().encode() + (FOLDER / STYLE).read_bytes())


def _for_any_origin(response: Response) -> Response:
    """Lets modules load from other sites, and from a frame with the attribute sandbox, whose origin is opaque."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
