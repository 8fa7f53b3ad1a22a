"""What schemathesis cannot read in an OpenAPI document, told to its process by fuzz.toml.

HAL: answers hold the addresses of what exists (`_links`). They are remembered, and part of what is generated is sent to
one of them; otherwise nearly every answer would be 404. Each collection links to the resources in it, which the
stateful phase follows. And rules that JSON Schema has no words for: a refusal that names one is no failure.
"""

import os
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from osdi.resources import ANSWER, API, ENTRIES, PERSON

REMEMBERED = 20  # addresses of a template, the youngest: older ones are probably deleted
HREF = re.compile(rb'"href":"([^"{]+)"')
PARAMETER = re.compile(r"\{(\w+)\}")
ITEM = re.compile(r"/\{\w+\}$")
MERGE = "/merge"
ENTRY_COLLECTIONS = tuple(f"/{resource.collection}" for resource in ENTRIES)
# Where a helper's answer belongs.
HELPERS = {"record_outreach_helper": "outreaches", "person_signup_helper": ""}

# Refusals of bodies and arguments that satisfy the document, by what they say: its schemas describe a value's type and
# size, and no grammar, no dependence on another value or on what is stored.
BEYOND_SCHEMAS = re.compile(
    "|".join(
        (
            r"Column \d+: ",  # the grammar of filters
            r"cannot be (expanded here|filtered|cleared)",
            r"Not (an identifier of the form|a valid phone number|a valid e-mail address|a valid ISO 8601|an origin)",
            r"Holds a NUL character|A name must be 1 to",
            # Required of a body only: the same schema describes answers.
            r"Missing data for required field|A person is needed|A link to the (other )?person is needed",
            r"More than \d+ entries",
            r"A choice needs responses|A question of type Paragraph has no responses|Two responses have the same key",
            # What one argument needs of another, and names of time zones.
            r"What becomes of outreaches is said with|Not from 1900-01-01|no time zone of this name",
            r"It is before `from`|There are more than \d+ days",
            # What is stored, or the caller.
            r"cannot be merged into themselves",
            r"DOES_NOT_EXIST|ANSWER_DOES_NOT_FIT|There is no such person|would exceed|sent inline, not as a link",
            r"has changed since it was read",  # a made-up ETag
            r"This Idempotency-Key was used with another body",
            r"TEMPLATE_ERROR|This must be one line|Not a mailbox such as|MESSAGE_DOES_NOT_FIT|no such wrapper",
            r"The address (is|holds|has)|Not an address such as|Not a secret such as|There are already \d+ webhooks",
            r"The body has more than \d+ bytes|nested more than \d+ deep|Unknown field",
        )
    )
)
# gunicorn's own answers to a request line or header beyond its limits, before the application sees the request.
OF_GUNICORN = (414, 431)

POSITIVE_DATA_REFUSED = "ST202"

WEBHOOKS = f"{API}/webhooks"
NOWHERE = "http://127.0.0.1:9/"

templates: dict[str, re.Pattern[str]] = {}
seen: dict[str, list[dict[str, str]]] = defaultdict(list)


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Read the document's addresses, and link what answers with resources to the operations on each of them."""
    paths = raw_schema["paths"]
    templates.update({path: re.compile(PARAMETER.sub(r"(?P<\1>[^/]+)", path)) for path in paths})
    remember(os.environb.get(b"FUZZ_SEEN", b""))
    items = [path for path in paths if ITEM.search(path)]
    for path, methods in paths.items():
        for method, pointer in _pointers(path, methods):
            collection = path
            for helper, belongs in HELPERS.items():
                collection = collection.replace(f"/{helper}", f"/{belongs}").rstrip("/")
            links = methods[method]["responses"]["200"].setdefault("links", {})
            for item in items:
                if ITEM.sub("", item) == collection:
                    links.update(_links_to(item, pointer, paths))


def _pointers(path: str, methods: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The methods of a path that answer with a resource, and where in the answer its own address stands."""
    if "post" in methods:
        yield "post", "/_links/self/href"
    if "get" in methods and not ITEM.search(path):
        yield "get", f"/_embedded/osdi:{path.rsplit('/', 1)[1]}/0/_links/self/href"


def _links_to(item: str, pointer: str, paths: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A link to each operation on an item, or on what lies under it; its parameters are read out of the address."""
    parameters = {name: f"$response.body#{pointer}#regex:{_capturing(item, name)}" for name in PARAMETER.findall(item)}
    for path, methods in paths.items():
        if path == item or path.startswith(f"{item}/"):
            for operation in methods.values():
                if isinstance(operation, dict) and "operationId" in operation:
                    name = operation["operationId"]
                    yield name, {"operationId": name, "parameters": parameters}


def _capturing(template: str, wanted: str) -> str:
    """A regular expression whose one group is the wanted parameter of the template."""
    return PARAMETER.sub(lambda found: "([^/]+)" if found[1] == wanted else "[^/]+", template) + "$"


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Remember the addresses that an answer holds."""
    remember(response.content)


def remember(answer: bytes) -> None:
    for href in HREF.findall(answer):
        path = urlsplit(href.decode()).path
        if path in templates:
            continue  # a helper's address, which looks like that of a resource
        for template, pattern in templates.items():
            found = pattern.fullmatch(path)
            if found and found.groupdict() and found.groupdict() not in seen[template]:
                seen[template] = [*seen[template], found.groupdict()][-REMEMBERED:]


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Send three of four cases to an address that was seen, and tag, list, question and merge people who were seen.

    By the case's own content: the same case becomes the same request while nothing new is seen.
    """
    number = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL:
        # Links lead there; an answer of `{}` would have none, and what is made up be taken for what was created.
        if case.operation.method == "post":
            case.query.pop("background_request", None)
    elif number % 4 and case.meta is not None and not case.meta.is_negative_at(ParameterLocation.PATH):
        _lead_somewhere(case, number // 4)
    if case.meta is not None and not case.meta.is_negative_at(ParameterLocation.BODY):
        _name_a_person(case, number // 4)
    _keep_to_this_machine(case)
    return case


def _keep_to_this_machine(case: schemathesis.Case) -> None:
    """A webhook's address is called by its test: let it be one of this machine, where nobody listens."""
    if case.operation.path.startswith(WEBHOOKS) and isinstance(case.body, dict) and "url" in case.body:
        url = case.body["url"]
        if isinstance(url, str) and ":" in url:
            case.body = {**case.body, "url": NOWHERE}


def _lead_somewhere(case: schemathesis.Case, number: int) -> None:
    template, parameters = case.operation.path, case.path_parameters
    # The address of what lies under a resource shows the resource's own.
    known = seen[template] or [each for longer in seen if longer.startswith(template) for each in seen[longer]]
    if known and parameters and parameters not in known:
        chosen = known[number % len(known)]
        case.path_parameters = {name: chosen.get(name, value) for name, value in parameters.items()}


def _name_a_person(case: schemathesis.Case, number: int) -> None:
    people = seen[f"{API}/{PERSON.collection}/{{person_id}}"]
    names_person = case.operation.method == "post" and case.operation.path.endswith((*ENTRY_COLLECTIONS, MERGE))
    if people and names_person and number % 4 and isinstance(case.body, dict):
        person_id = people[number % len(people)]["person_id"]
        body = {**case.body, "_links": {"osdi:person": {"href": f"{API}/{PERSON.collection}/{person_id}"}}}
        if case.operation.path.endswith(f"/{ANSWER.collection}"):
            body.pop("responses", None)  # what is left fits a question of type Paragraph
            body["value"] = "For the river."
        case.body = body


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: schemathesis.Case, response: schemathesis.Response
) -> bool:
    """Whether a failure is the application's: neither gunicorn's limits nor a rule that no schema can state."""
    if response.status_code in OF_GUNICORN:
        return False
    if failure.code != POSITIVE_DATA_REFUSED or not 400 <= response.status_code < 500:
        return True
    (resource_status,) = response.json()["osdi:error"]["resource_status"]
    told = [f"{each['error_code']} {each['description']}" for each in resource_status["error_descriptions"]]
    return not all(BEYOND_SCHEMAS.search(each) for each in told)
