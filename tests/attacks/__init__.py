"""Tables of attacks and bad input: one row is one request, with the status of its error response.

`bodies` has invalid bodies, `addresses` invalid addresses and arguments, `requests` invalid tokens, methods and
headers. `ignored` has requests that get 200 by design and must have no effect.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from osdi.resources import API

ORIGIN = "https://attacker.example"
LIMIT = 262_144
SMALL = {"person": {"email_addresses": [{"address": "jane@example.com"}]}}
LINKED = {"_links": {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/<person>"}}}
MERGED = {"_links": {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/<merged>"}}}
WRAPPED = {"_links": {"osdi:wrapper": {"href": "https://osdi.example.org/api/v1/wrappers/<wrapper>"}}}

HELPER = "/advocacy_campaigns/<campaign>/record_outreach_helper"
DOOR = "/advocacy_campaigns/<campaign>/anonymous_posts"
TRIGGERS = "/advocacy_campaigns/<campaign>/triggers"
PAGE = "/advocacy_campaigns/<campaign>/page"
CODES = f"{PAGE}/postal_codes"
STATS = "/advocacy_campaigns/<campaign>/stats"

# Resources beside the standard: their bodies have neither identifiers nor control headers.
OURS = (DOOR, TRIGGERS, PAGE, "/webhooks", "/webhooks/<webhook>", "/people/<person>/merge")

# Addresses that are neither a collection with pages nor one of its resources.
DOWNLOADS = ("/people.csv", "/outreaches.csv", "/advocacy_campaigns/<campaign>/outreaches.csv")
SINGLE = (
    DOOR,
    TRIGGERS,
    PAGE,
    CODES,
    STATS,
    "/deletions",
    "/followups",
    "/webhooks",
    "/messages/<message>/preview",
    "/people/duplicates",
    "/people/<person>/suppressions",
    *DOWNLOADS,
)

# Every route that reads a body, with the least that it takes. `<person>` and the like stand for ids, see World.
BODIES: Mapping[tuple[str, str], dict[str, Any]] = {
    ("POST", HELPER): SMALL,
    ("POST", "/advocacy_campaigns/<campaign>/outreaches"): SMALL,
    ("POST", "/advocacy_campaigns"): {"title": "Another"},
    ("POST", "/people"): SMALL,
    ("POST", "/people/person_signup_helper"): SMALL,
    ("POST", "/people/<person>/merge"): MERGED,
    ("POST", "/tags"): {"name": "another"},
    ("POST", "/lists"): {"name": "another"},
    ("POST", "/questions"): {"question_type": "Paragraph"},
    ("POST", "/messages"): {"name": "another"} | WRAPPED,
    ("POST", "/wrappers"): {"name": "another"},
    ("POST", "/tags/<tag>/taggings"): LINKED,
    ("POST", "/lists/<list>/items"): LINKED,
    ("POST", "/questions/<question>/answers"): LINKED | {"value": "because"},
    ("POST", "/webhooks"): {"url": "https://hooks.example.org/osdi"},
    ("PUT", "/advocacy_campaigns/<campaign>"): {"title": "Changed"},
    ("PUT", DOOR): {"enabled": True},
    ("PUT", TRIGGERS): {"autoresponse": {"identifiers": []}},
    ("PUT", PAGE): {"published": True},
    ("PUT", "/advocacy_campaigns/<campaign>/outreaches/<outreach>"): {"type": "phone"},
    ("PUT", "/people/<person>"): {"given_name": "Changed"},
    ("PUT", "/tags/<tag>"): {"description": "Changed"},
    ("PUT", "/lists/<list>"): {"description": "Changed"},
    ("PUT", "/questions/<question>"): {"title": "Changed"},
    ("PUT", "/messages/<message>"): {"subject": "Changed"},
    ("PUT", "/wrappers/<wrapper>"): {"footer": "Changed"},
    ("PUT", "/webhooks/<webhook>"): {"description": "Changed"},
    ("PUT", "/tags/<tag>/taggings/<tagging>"): {"origin_system": "Changed"},
    ("PUT", "/lists/<list>/items/<item>"): {"origin_system": "Changed"},
    ("PUT", "/questions/<question>/answers/<answer>"): {"origin_system": "Changed"},
}
OPEN = {
    ("POST", HELPER),
    ("POST", "/advocacy_campaigns/<campaign>/outreaches"),
    ("POST", "/people/person_signup_helper"),
}
ONE = [path for method, path in BODIES if method == "PUT" and path.endswith(">")]
# Other paths of outreaches, taggings, items and answers, for reading only.
BELOW_PEOPLE = [
    f"/people/<person>/{path}"
    for path in ("outreaches/<outreach>", "taggings/<tagging>", "items/<item>", "answers/<answer>")
]
COLLECTIONS = [
    *("/advocacy_campaigns", "/advocacy_campaigns/<campaign>/outreaches", "/outreaches", "/people", "/tags"),
    *("/people/<person>/outreaches", "/people/<person>/taggings", "/people/<person>/items", "/people/<person>/answers"),
    *("/tags/<tag>/taggings", "/lists", "/lists/<list>/items", "/questions", "/questions/<question>/answers"),
    *("/messages", "/wrappers"),
]


@dataclass(frozen=True)
class Attack:
    """One request, and the status of its response.

    A body is sent as JSON, unless it is text or bytes. `token` can be the token itself. `names` is a text in the error
    message. `root` is the prefix of the path.
    """

    name: str
    method: str
    path: str
    status: int
    body: Any = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    token: bool | str = True
    names: str = ""
    root: str = API

    def __str__(self) -> str:
        return f"{self.method} {self.path[:60]}: {self.name}"

    @property
    def is_of_the_api(self) -> bool:
        """True if the address is in the API: only there may pages of other origins read the response."""
        return f"{self.root}{self.path}".startswith(f"{API}/")

    def sent(self) -> bytes | str | None:
        return self.body if self.body is None or isinstance(self.body, bytes | str) else json.dumps(self.body)


def check_error(response: TestResponse, status: int, names: str = "") -> None:
    """Asserts that this is an error response in the standard's form, with this status and this text in its message."""
    body = response.get_data(as_text=True)
    assert response.status_code == status, body
    assert response.content_type == "application/hal+json"
    assert names in response.json["error"], body
    error = response.json["osdi:error"]
    assert (error["request_type"], error["response_code"]) == ("atomic", status)
    (resource_status,) = error["resource_status"]
    assert resource_status["response_code"] == status
    assert resource_status["error_descriptions"]
    for description in resource_status["error_descriptions"]:
        assert description["error_code"]
        assert description["description"]
