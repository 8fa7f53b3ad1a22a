"""The scenarios of the standard's pages: the test sends each printed request, and compares the printed response.

`scenarios/` has one file for each page, with errors of syntax corrected: commas, comments, single quotes. Before a GET,
PUT or DELETE the test creates the resource from the printed response, so that it can compare values, and replaces the
printed addresses with ours. `scenarios/deviations.json` lists differences with their reasons; the response must have
exactly these.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from osdi.access.tokens import new_token
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support.client import Client

Json = dict[str, Any]

PRINTED_AT = "https://osdi-sample-system.org/api/v1"
HOLDER = f"{PRINTED_AT}/people/65345d7d-cd24-466a-a698-4a7686ef684f"  # the creator on the pages
PARAGRAPH = f"{PRINTED_AT}/questions/c945d6fe-929e-11e3-a2e9-12313d316c2a"  # answered with a text on the helpers' pages
PAGES = (
    *("README", "aep", "people", "person_signup", "advocacy_campaigns", "outreaches", "record_outreach", "tags"),
    *("taggings", "lists", "items", "questions", "answers", "messages", "wrappers", "errors"),
)


@dataclass(frozen=True)
class Scenario:
    """A request of a page, and its response."""

    page: str
    title: str
    method: str
    path: str
    token: bool
    status: int
    response: Json
    body: Json | None = None

    def __str__(self) -> str:
        return f"{self.page}: {self.title}"


def printed_in(name: str) -> list[Json]:
    rows: list[Json] = json.loads((Path(__file__).parent / "scenarios" / f"{name}.json").read_text("utf-8"))
    return rows


SCENARIOS = tuple(Scenario(page, **row) for page in PAGES for row in printed_in(page))


@dataclass(frozen=True)
class Deviation:
    """Differences between our and the printed responses, with the reason. `titles` is a regular expression."""

    page: str
    titles: str
    what: list[str]
    why: str

    def covers(self, scenario: Scenario) -> bool:
        return self.page == scenario.page and re.search(self.titles, scenario.title) is not None


DEVIATIONS = tuple(Deviation(**row) for row in printed_in("deviations"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario: Scenario, api: Client, store: Store) -> None:
    world = World(api, store)
    world.prepare(scenario)

    response = world.send(scenario)

    listed = {what for deviation in DEVIATIONS if deviation.covers(scenario) for what in deviation.what}
    assert set(world.deviations(scenario, response.status_code, response.json)) == listed
    assert response.mimetype == "application/hal+json"


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda each: f"{each.page}: {each.titles}")
def test_every_deviation_belongs_to_a_scenario(deviation: Deviation) -> None:
    assert any(deviation.covers(scenario) for scenario in SCENARIOS)


def test_compare_finds_differences() -> None:
    printed = {"name": "a", "tags": ["x", "y"], "total": 1, "_links": {"osdi:tag": {"href": "b"}}, "inner": {"x": 1}}

    found = set(compare(printed, {"name": "b", "tags": ["x"], "total": "1", "_links": {}}, {"name": "a"}))

    assert found == {"name", "tags[]", "total", "_links.osdi:tag", "inner"}


KEYS = ("hc", "env", "r1", "r2", "Y")
# Fields of a created resource that the server requires or that requests refer to.
EXAMPLES: Mapping[str, Json] = {
    "people": {"given_name": "Jane"},
    "advocacy_campaigns": {},
    "tags": {},
    "lists": {},
    "messages": {},
    "wrappers": {},
    "questions": {"question_type": "MultiChoice", "responses": [{"key": key} for key in KEYS]},
    "outreaches": {},
    "taggings": {},
    "items": {},
    "answers": {"responses": ["hc"]},
}
# Printed in collections, but rejected by this server, as the deviations explain.
NOT_TAKEN = (("item_type", "osdi:event"), ("value", "He's not sure"))
ENTRIES = ("outreaches", "taggings", "items", "answers")
NAMED = ("tags", "lists")
RESOURCE = re.compile(
    rf"({PRINTED_AT}/({'|'.join(EXAMPLES)})/[-\w]*\d[-\w]*)(?:/({'|'.join(ENTRIES)})/[-\w]*\d[-\w]*)?"
)
SET_BY_SERVER = (
    *("_links", "_embedded", "id", "created_date", "modified_date", "total_outreaches", "total_signatures"),
    *("total_items", "total_targeted", "statistics"),
)


class World:
    """The resources that exist before a scenario's request, and our addresses by the printed ones."""

    def __init__(self, api: Client, store: Store) -> None:
        self.api = api
        self.ours: dict[str, str] = {}
        self.stored: dict[str, Json] = {}
        self._numbers = itertools.count(1)
        secret, document = new_token("holder", person_id=self.make(HOLDER).rsplit("/", 1)[1])
        store.write(Insert(TOKENS, document))
        api.token = secret

    def prepare(self, scenario: Scenario) -> None:
        """Creates the requested resource from the printed response, and the resources in its path and body."""
        body = scenario.body or {}
        for kind in ("tags", "lists"):
            for name in body.get(f"add_{kind}", ()) if scenario.page != "errors" else ():
                self.api.created(f"/{kind}", {"name": name})
        for embedded in scenario.response.get("_embedded", {}).values():
            for printed in embedded:
                self.make(printed["_links"]["self"]["href"], printed)
            address = embedded[0]["_links"]["self"]["href"].rsplit("/", 1)[0]
            for number in range(25):  # for a second page
                self.make(f"{address}/filler-{number}")
        path = RESOURCE.match(PRINTED_AT + scenario.path)
        if path:
            self.make(path[0], {name: value for name, value in scenario.response.items() if name not in body})
        for found in RESOURCE.finditer(json.dumps(body)):
            self.make(found[0])

    def make(self, address: str, printed: Json | None = None) -> str:
        """Creates the resource of this printed address, unless it exists; returns our address."""
        if address in self.ours:
            return self.ours[address]
        found = RESOURCE.fullmatch(address)
        assert found, address
        collection = found[3] or found[2]
        fields = {name: value for name, value in (printed or {}).items() if name not in SET_BY_SERVER}
        if "identifiers" in fields:
            fields["identifiers"] = foreign(fields["identifiers"])
        links = (printed or {}).get("_links", {})
        number = next(self._numbers)
        self.stored[address] = fields
        fields = {name: value for name, value in fields.items() if (name, value) not in NOT_TAKEN}
        body = {**({"name": f"Name {number}"} if collection in NAMED else {}), **fields}
        if address == PARAGRAPH:
            body["question_type"] = "Paragraph"
        elif collection in EXAMPLES and not set(EXAMPLES[collection]) & set(fields):
            body.update(EXAMPLES[collection])
        if "osdi:wrapper" in links:
            body["_links"] = {"osdi:wrapper": {"href": self.make(links["osdi:wrapper"]["href"])}}
        if found[3]:
            person = links.get("osdi:person", {"href": f"{PRINTED_AT}/people/person-{number}"})["href"]
            body["_links"] = {"osdi:person": {"href": self.make(person)}}
            parent = self.make(found[1])
        else:
            parent = PRINTED_AT
        path = f"{parent}/{collection}".removeprefix(PRINTED_AT)
        self.ours[address] = self.api.created(path, body)["_links"]["self"]["href"]
        return self.ours[address]

    def send(self, scenario: Scenario) -> Any:
        """Sends the scenario's request with our addresses, and returns the response."""
        path = self.translated(PRINTED_AT + scenario.path).removeprefix(PRINTED_AT)
        if scenario.body is None:
            return getattr(self.api, scenario.method.lower())(path, token=scenario.token)
        body = self.translated(scenario.body)
        return getattr(self.api, scenario.method.lower())(path, body, token=scenario.token)

    def translated(self, printed: Any) -> Any:
        """Returns the value with our addresses instead of the printed ones."""
        if isinstance(printed, dict):
            return {name: self.translated(value) for name, value in printed.items()}
        if isinstance(printed, list):
            return [self.translated(value) for value in printed]
        if not isinstance(printed, str):
            return printed
        return RESOURCE.sub(lambda found: self.ours.get(found[0], found[0]), printed)

    def deviations(self, scenario: Scenario, status: int, returned: Json) -> Iterator[str]:
        """Yields the differences from the printed response: paths of properties, or `status`."""
        if status != scenario.status:
            yield f"status {status}"
            return
        if scenario.response == {} and returned != {}:
            yield "more than {}"
        if scenario.method == "DELETE":
            yield from compare(scenario.response, returned, scenario.response)
            if self.api.get(self.translated(PRINTED_AT + scenario.path)).status_code != 404:
                yield "still there"
            return
        body = scenario.body or {}
        if body.get("osdi:control", {}).get("return_response") is False:
            yield from (f"{name} too" for name in returned if name not in scenario.response)
        address = RESOURCE.match(PRINTED_AT + scenario.path)
        before = self.stored.get(address[0], {}) if address else {}
        stored = self.translated({**before, **body.get("person", {}), **body})
        printed = {name: value for name, value in scenario.response.items() if name != "_embedded"}
        yield from compare(self.translated(printed), returned, stored if scenario.page != "errors" else ERROR_VALUES)
        yield from self.dead_links(printed, returned)
        for relation, embedded in scenario.response.get("_embedded", {}).items():
            shown = {each["_links"]["self"]["href"]: each for each in returned["_embedded"][relation]}
            for each in embedded:
                self_address = each["_links"]["self"]["href"]
                ours = shown[self.ours[self_address]]
                yield from compare(self.translated(each), ours, self.translated(self.stored[self_address]))
                yield from self.dead_links(each, ours)

    def dead_links(self, printed: Json, returned: Json) -> Iterator[str]:
        """Yields printed links that the response has, but that are broken."""
        for relation in printed.get("_links", {}):
            link = returned.get("_links", {}).get(relation)
            if not isinstance(link, dict) or relation == "docs" or relation.endswith("_helper"):
                continue
            if self.api.get(link["href"]).status_code != 200:
                yield f"_links.{relation} leads nowhere"


ERROR_VALUES = {
    "osdi:error": {
        "request_type": "atomic",
        "response_code": 400,
        "resource_status": [{"resource": "osdi:question", "response_code": 400}],
    }
}


def compare(printed: Any, returned: Any, stored: Any, path: str = "") -> Iterator[str]:
    """Yields the paths of printed values that the response lacks.

    A value that the test stored has to be equal; of another value only the type.
    """
    if path == "identifiers":
        if returned[1:] != foreign(stored or ()):
            yield path
    elif path == "_links":
        yield from (f"_links.{relation}" for relation in printed if not is_linked(printed, returned, relation))
    elif isinstance(printed, dict):
        known = stored if isinstance(stored, dict) else {}
        for name, value in printed.items():
            inner = f"{path}.{name}".lstrip(".")
            if not isinstance(returned, dict) or name not in returned:
                yield inner
            else:
                yield from compare(value, returned[name], known.get(name), inner)
    elif isinstance(printed, list):
        entries = stored if isinstance(stored, list) else []
        for value, ours, each in itertools.zip_longest(printed, returned, entries[: len(printed)], fillvalue=None):
            if value is not None:
                yield from compare(value, ours, each, f"{path}[]")
    elif stored is not None:
        if comparable(returned) != comparable(printed):
            yield path
    elif type(returned) is not type(printed):
        yield path


def is_linked(printed: Json, returned: Json, relation: str) -> bool:
    """True if the response has the link, and to the same resource if the test created it."""
    expected, found = printed[relation], returned.get(relation)
    if isinstance(expected, list):
        return bool(found)
    if not found or relation in ("self", "next") or expected["href"].startswith(PRINTED_AT):
        return bool(found)
    return relation == "docs" or found["href"] == expected["href"]


def comparable(value: Any) -> Any:
    """Returns a value, with dates as datetime: `Z` and `+00:00` are the same."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and len(value) > len("2014-03-20") else value
    except ValueError:
        return value


def foreign(identifiers: Any) -> list[str]:
    """Returns the identifiers without those of the responding server."""
    return [each for each in identifiers if not each.startswith(("osdi_sample_system:", "osdi-sample-system:"))]
