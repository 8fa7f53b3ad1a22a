"""The files of public campaign pages: their sizes, how long browsers keep them, and the origins that load them."""

import gzip
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints.act import assets

KILOBYTE = 1000
COLOUR = "#1d6a5c"


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def style_url(app: Flask) -> str:
    with app.test_request_context():
        return assets.style_url(COLOUR)


@pytest.fixture
def script_url(app: Flask) -> str:
    with app.test_request_context():
        return assets.script_url()


def size(http: FlaskClient, *addresses: str) -> int:
    """Returns the number of bytes that a browser receives as the content of these files."""
    responses = [http.get(address, headers={"Accept-Encoding": "gzip"}) for address in addresses]
    assert [response.headers.get("Content-Encoding") for response in responses] == ["gzip"] * len(responses)
    return sum(len(response.data) for response in responses)


def test_the_style_sheet_has_at_most_6_kilobytes(http: FlaskClient, style_url: str) -> None:
    assert size(http, style_url) <= 6 * KILOBYTE


def test_all_modules_of_a_page_have_at_most_8_kilobytes(http: FlaskClient, script_url: str) -> None:
    folder = script_url.rpartition("/")[0]
    assert size(http, *(f"{folder}/{name}" for name in assets.MODULES)) <= 8 * KILOBYTE


def test_the_script_for_other_sites_has_at_most_2_kilobytes(http: FlaskClient) -> None:
    assert size(http, "/act/embed.js") <= 2 * KILOBYTE


def test_a_module_finds_those_that_it_imports(http: FlaskClient, script_url: str) -> None:
    """They are imported by names relative to the first, whose folder therefore has to hold them all."""
    folder = script_url.rpartition("/")[0]
    imported = re.findall(r'import\("\./([^"]+)"\)', http.get(script_url).text)

    assert imported
    for name in imported:
        assert http.get(f"{folder}/{name}").mimetype == "text/javascript"


def test_browsers_keep_a_versioned_file_for_good(http: FlaskClient, style_url: str, script_url: str) -> None:
    for address in (style_url, script_url):
        assert http.get(address).headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_file_of_another_version_is_sent_for_a_minute(http: FlaskClient, style_url: str) -> None:
    """While an upgrade replaces processes, a page of one version may ask a process of another one."""
    other = re.sub(r"/[0-9a-f]{12}/", "/000000000000/", style_url)

    response = http.get(other)

    assert response.data == http.get(style_url).data
    assert response.headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("name", ["embed.js", "record.js"])
def test_browsers_ask_after_an_hour_for_a_file_that_other_sites_name(http: FlaskClient, name: str) -> None:
    response = http.get(f"/act/{name}")

    assert response.headers["Cache-Control"] == "public, max-age=3600"
    assert response.mimetype == "text/javascript"


@pytest.mark.parametrize("name", ["embed.js", "record.js", "assets/x/form.js"])
def test_pages_of_any_origin_may_load_a_script(http: FlaskClient, name: str) -> None:
    """A frame with the attribute sandbox has an opaque origin, and browsers load modules by CORS."""
    assert http.get(f"/act/{name}").headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_without_gzip_gets_the_file_unpacked(http: FlaskClient) -> None:
    packed = http.get("/act/embed.js", headers={"Accept-Encoding": "gzip"})
    plain = http.get("/act/embed.js", headers={"Accept-Encoding": "identity"})

    assert gzip.decompress(packed.data) == plain.data
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


def test_the_colour_changes_the_address_of_the_style_sheet(app: Flask, http: FlaskClient) -> None:
    with app.test_request_context():
        addresses = [assets.style_url(colour) for colour in ("#fa0", "#ffaa00", None)]

    assert addresses[0] == addresses[1] != addresses[2]
    assert "--button:#ffaa00" in http.get(addresses[0]).text


@pytest.mark.parametrize(
    "name",
    [
        "page.css",
        "page-fff.css",
        "page-gggggg.css",
        "page-FFFFFF.css",
        "embed.js",
        "form.js.map",
        "..%2f__init__.py",
        "%00",
    ],
)
def test_any_other_name_is_not_found(http: FlaskClient, name: str) -> None:
    assert http.get(f"/act/assets/000000000000/{name}").status_code == 404
