"""The pages for browsers over HTTP: their headers, their files, and a page behind every relation."""

import gzip
import re

import pytest
from flask.testing import FlaskClient

from blueprints.browser.documentation import MODULES, RELATIONS
from osdi.resources import OWN_RELATIONS
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.store import Store
from tests.fixtures.campaign_pages import soup
from tests.support import factories
from tests.support.client import Client

PAGES = ["/", "/docs", "/redoc", "/explorer", "/openapi.json", "/docs/v1/person"]
# Relations that lead to CSV have no fields.
CSV_RELATIONS = [name for name, relation in OWN_RELATIONS.items() if relation.schema is None]
FILE = re.compile(r"/docs/assets/[^\"]+")
IMPORT = re.compile(r"from \"\./([^\"]+)\"")


@pytest.fixture
def http(api: Client) -> FlaskClient:
    return api.http


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_load_nothing_from_elsewhere(http: FlaskClient, path: str) -> None:
    headers = http.get(path).headers

    policy = dict(directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert not any(re.search(r"https?:|\*", value) for name, value in policy.items() if name != "frame-ancestors")
    assert policy["frame-ancestors"] == ("*" if path.startswith("/docs/v1/") else "'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_page_that_may_be_framed_runs_no_script_and_has_no_form(http: FlaskClient) -> None:
    page = http.get("/docs/v1/person_signup_helper").text

    assert "<h1>Person Signup Helper</h1>" in page
    assert not re.search(r"<(script|form|input|button|iframe)\b", page)


def test_a_page_keeps_the_headers_that_it_sets_itself(http: FlaskClient) -> None:
    headers = http.get("/docs").headers

    assert len(headers.getlist("Content-Security-Policy")) == 1
    assert len(headers.getlist("Referrer-Policy")) == 1


def test_the_hal_explorer_may_not_parse_text_as_html_nor_style_it(http: FlaskClient) -> None:
    policy = http.get("/explorer").headers["Content-Security-Policy"]

    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy


def test_the_hal_explorers_modules_find_one_another(http: FlaskClient) -> None:
    """They are imported by names relative to the first, whose folder therefore has to hold them all."""
    first = next(file for file in FILE.findall(http.get("/explorer").text) if file.endswith(".js"))
    folder, found, open_ = first.rsplit("/", 1)[0], set(), [first]
    while open_:
        file = open_.pop()
        found.add(file)
        imported = {f"{folder}/{name}" for name in IMPORT.findall(http.get(file).text)}
        assert http.get(file).status_code == 200, file
        open_ += sorted(imported - found - set(open_))

    assert found == {f"{folder}/{name}" for name in MODULES}


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/explorer"])
def test_a_file_is_kept_for_good_because_its_address_changes_with_it(http: FlaskClient, path: str) -> None:
    files = FILE.findall(http.get(path).text)

    assert len(files) >= 2
    for file in files:
        assert http.get(file).headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert http.get(re.sub(r"/[0-9a-f]{12}/", "/000000000000/", file)).status_code == 404


def test_a_file_is_the_same_compressed_or_not(http: FlaskClient) -> None:
    file = FILE.findall(http.get("/redoc").text)[-1]

    plain = http.get(file, headers={"Accept-Encoding": "gzip;q=0"})
    packed = http.get(file, headers={"Accept-Encoding": "br, gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 3
    assert gzip.decompress(packed.data) == plain.data


@pytest.mark.parametrize(
    "path", ["/docs/assets/000000000000/scalar.js", "/docs/assets/x/..%2f__init__.py", "/docs/v1/x"]
)
def test_nothing_else_is_served(http: FlaskClient, path: str) -> None:
    assert http.get(path).status_code == 404


def test_every_relation_in_a_response_has_a_page(api: Client, store: Store) -> None:
    create_sample(store, "osdi_outreach")
    outreach = api.recorded(factories.outreach(), campaign=CAMPAIGN_ID)
    campaign = api.follow(outreach, "osdi:advocacy_campaign")
    person = api.follow(outreach, "osdi:person")
    entry_point = api.get("/").json

    for response in (outreach, campaign, person, entry_point):
        curie = response["_links"]["curies"][0]["href"]
        for relation in response["_links"]:
            if relation.startswith("osdi:"):
                address = curie.replace("{rel}", relation.removeprefix("osdi:")).removeprefix("http://localhost")
                assert api.http.get(address).status_code == 200, relation


@pytest.mark.parametrize("relation", RELATIONS)
def test_every_relation_has_a_page_with_its_fields(http: FlaskClient, relation: str) -> None:
    page = soup(http.get(f"/docs/v1/{relation}"))

    assert page.h1 is not None
    assert page.h1.get_text().strip()
    assert relation in CSV_RELATIONS or len(page.select("table tr")) > 1
