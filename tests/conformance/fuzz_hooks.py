"""Hooks for schemathesis, loaded by fuzz.toml, for what an OpenAPI document cannot describe.

HAL links: the hooks store the addresses in responses, and send most generated requests to one of them; otherwise nearly
every response would be 404. Each collection links to its resources, and the stateful phase follows these links. Rules
that JSON Schema cannot express: an error response because of one is not a failure.
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

REMEMBERED = 20  # latest addresses of a template; older ones are probably deleted
HREF = re.compile(rb'"href":"([^"{]+)"')
PARAMETER = re.compile(r"\{(\w+)\}")
ITEM = re.compile(r"/\{\w+\}$")
MERGE = "/merge"
ENTRY_COLLECTIONS = tuple(f"/{resource.collection}" for resource in ENTRIES)
# The collection of the resource in a helper's response.
HELPERS = {"record_outreach_helper": "outreaches", "person_signup_helper": ""}

# Error messages for bodies and arguments that satisfy the document. Its schemas describe the type and size of a value,
# but not a grammar, and not a dependence on another value or on stored data.
BEYOND_SCHEMAS = re.compile(
    "|".join(
        (
            r"Column \d+: ",  # the grammar of filters
            r"cannot be (expanded here|filtered|cleared)",
            r"Not identifiers of the form",
            r"Not (an identifier of the form|a valid phone number|a valid e-mail address|a valid ISO 8601|an origin)",
            r"Contains a NUL character|A name must be 1 to",
            # Required only in a body: the same schema describes responses.
            r"Missing data for required field|A person is needed|A link to the (other )?person is needed",
            r"More than \d+ entries",
            r"A choice needs responses|A question of type Paragraph has no responses|Two responses have the same key",
            # Arguments that depend on each other, and names of time zones.
            r"Use outreaches only together with|Not from 1900-01-01|no time zone of this name",
            r"It is before `from`|There are more than \d+ days",
            # Rules that depend on stored data or on the caller.
            r"cannot be merged into themselves",
            r"DOES_NOT_EXIST|ANSWER_DOES_NOT_FIT|There is no such person|would exceed|sent inline, not as a link",
            r"has changed since it was read",  # a made-up ETag
            r"This Idempotency-Key was used with another body",
            r"TEMPLATE_ERROR|This must be one line|Not a mailbox such as|MESSAGE_DOES_NOT_FIT|no such wrapper",
            r"The address (is|holds|has)|Not an address such as|Not a secret such as|There are already \d+ webhooks",
            r"The body has more than \d+ bytes|nested more than \d+ deep|Unknown field|Unknown argument",
            r"A blank value clears nothing|A PUT does not apply|Send it inside|Another name differs only",
            r"Different from `filter`|Send one of person",
        )
    )
)
# Responses of gunicorn itself to a request line or header beyond its limits.
OF_GUNICORN = (414, 431)

POSITIVE_DATA_REJECTED = "ST202"

WEBHOOKS = f"{API}/webhooks"
NOWHERE = "http://127.0.0.1:9/"

templates: dict[str, re.Pattern[str]] = {}
seen: dict[str, list[dict[str, str]]] = defaultdict(list)


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Reads the document's paths, and adds links from responses with resources to the operations on these."""
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
    """Yields the methods of a path that return a resource, and the place of its own address in the response."""
    if "post" in methods:
        yield "post", "/_links/self/href"
    if "get" in methods and not ITEM.search(path):
        yield "get", f"/_embedded/osdi:{path.rsplit('/', 1)[1]}/0/_links/self/href"


def _links_to(item: str, pointer: str, paths: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Returns a link to each operation on an item or below it; the address in the response gives the parameters."""
    parameters = {name: f"$response.body#{pointer}#regex:{_capturing(item, name)}" for name in PARAMETER.findall(item)}
    for path, methods in paths.items():
        if path == item or path.startswith(f"{item}/"):
            for operation in methods.values():
                if isinstance(operation, dict) and "operationId" in operation:
                    name = operation["operationId"]
                    yield name, {"operationId": name, "parameters": parameters}


def _capturing(template: str, wanted: str) -> str:
    """Returns a regular expression with one group: the parameter of the template."""
    return PARAMETER.sub(lambda found: "([^/]+)" if found[1] == wanted else "[^/]+", template) + "$"


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Stores the addresses in a response."""
    remember(response.content)


def remember(response: bytes) -> None:
    for href in HREF.findall(response):
        path = urlsplit(href.decode()).path
        if path in templates:
            continue  # a helper's address looks like that of a resource
        for template, pattern in templates.items():
            found = pattern.fullmatch(path)
            if found and found.groupdict() and found.groupdict() not in seen[template]:
                seen[template] = [*seen[template], found.groupdict()][-REMEMBERED:]


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Sends three of four cases to a stored address, and uses stored people for taggings, items, answers and merges.

    The choice depends on the case's content: the same case becomes the same request until a new address is stored.
    """
    number = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    if case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL:
        # The stateful phase needs the links of the response, which is `{}` for a background request.
        if case.operation.method == "post":
            case.query.pop("background_request", None)
    elif number % 4 and case.meta is not None and not case.meta.is_negative_at(ParameterLocation.PATH):
        _use_stored_address(case, number // 4)
    if case.meta is not None and not case.meta.is_negative_at(ParameterLocation.BODY):
        _use_stored_person(case, number // 4)
    _use_local_webhook(case)
    return case


def _use_local_webhook(case: schemathesis.Case) -> None:
    """Replaces a webhook's address with a closed port of this machine: the test of a webhook sends a request to it."""
    if case.operation.path.startswith(WEBHOOKS) and isinstance(case.body, dict) and "url" in case.body:
        url = case.body["url"]
        if isinstance(url, str) and ":" in url:
            case.body = {**case.body, "url": NOWHERE}


def _use_stored_address(case: schemathesis.Case, number: int) -> None:
    template, parameters = case.operation.path, case.path_parameters
    # An address below a resource contains the address of the resource.
    known = seen[template] or [each for longer in seen if longer.startswith(template) for each in seen[longer]]
    if known and parameters and parameters not in known:
        chosen = known[number % len(known)]
        case.path_parameters = {name: chosen.get(name, value) for name, value in parameters.items()}


def _use_stored_person(case: schemathesis.Case, number: int) -> None:
    people = seen[f"{API}/{PERSON.collection}/{{person_id}}"]
    names_person = case.operation.method == "post" and case.operation.path.endswith((*ENTRY_COLLECTIONS, MERGE))
    if people and names_person and number % 4 and isinstance(case.body, dict):
        person_id = people[number % len(people)]["person_id"]
        body = {**case.body, "_links": {"osdi:person": {"href": f"{API}/{PERSON.collection}/{person_id}"}}}
        if case.operation.path.endswith(f"/{ANSWER.collection}"):
            body.pop("responses", None)  # a value alone is valid for a question of type Paragraph
            body["value"] = "For the river."
        case.body = body


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: schemathesis.Case, response: schemathesis.Response
) -> bool:
    """True if the application caused a failure, not a limit of gunicorn or a rule that no schema can express."""
    if response.status_code in OF_GUNICORN:
        return False
    if failure.code != POSITIVE_DATA_REJECTED or not 400 <= response.status_code < 500:
        return True
    (resource_status,) = response.json()["osdi:error"]["resource_status"]
    errors = [f"{each['error_code']} {each['description']}" for each in resource_status["error_descriptions"]]
    return not all(BEYOND_SCHEMAS.search(each) for each in errors)
