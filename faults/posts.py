"""Posts of the load: each post is a separate outreach and contains its own number.

The mix covers what the service treats differently: posts with and without a token; retries recognised by an outreach
identifier or by an Idempotency-Key; new people, people that other clients create at the same time, known people without
new data, and people with only a name.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

OWN, SHARED, KNOWN, NAMELESS = "own", "shared", "known", "nameless"
PATTERN: Final = (OWN, SHARED, KNOWN, SHARED, OWN, NAMELESS, SHARED, OWN)
# Number of successive posts that use the same shared person.
POSTS_OF_A_SHARED_PERSON: Final = 32
KNOWN_PEOPLE: Final = 20
FIELD_VALUE: Final = "yes"
SOURCE_PREFIX: Final = "post-"
TOKEN_HEADER: Final = "OSDI-API-Token"


@dataclass(frozen=True)
class Post:
    """One outreach to record, as often as it takes, always with the same identifier or key.

    `address` is the person's e-mail address, or None. `field` is the name of a custom field that it adds to the person,
    or None if it adds nothing.
    """

    number: int
    address: str | None
    field: str | None
    with_token: bool
    headers: dict[str, str]
    body: bytes

    @property
    def source(self) -> str:
        """Unique mark of this post's outreach in the database, independent of the server's handling of retries."""
        return source(self.number)


def source(number: int) -> str:
    """Returns the `referrer_data.source` of a post's outreach."""
    return f"{SOURCE_PREFIX}{number}"


def post(number: int, token: str) -> Post:
    """Returns the post with this number; always the same one for a number."""
    kind = PATTERN[number % len(PATTERN)]
    with_token = number // len(PATTERN) % 2 == 0
    person: dict[str, Any] = {"given_name": "Jane" if kind in (SHARED, KNOWN) else f"Jane {number}"}
    address = {
        OWN: f"own-{number}@example.com",
        SHARED: f"shared-{number // POSTS_OF_A_SHARED_PERSON}@example.com",
        KNOWN: f"known-{number // len(PATTERN) % KNOWN_PEOPLE}@example.com",
    }.get(kind)
    if address:
        person["email_addresses"] = [{"address": address}]
    field = None if kind == KNOWN else f"post {number}"
    if field:
        person["custom_fields"] = {field: FIELD_VALUE}
    body: dict[str, Any] = {
        "person": person,
        "type": "phone",
        "duration": 120,
        "referrer_data": {"source": source(number)},
        "targets": [{"title": "Senator", "given_name": "John", "family_name": "Smith"}],
    }
    headers = {"Content-Type": "application/json"}
    if with_token:
        headers[TOKEN_HEADER] = token
    if number % 3:
        body["identifiers"] = [f"load:outreach-{number}"]
    else:
        headers["Idempotency-Key"] = f"load-{number}"
    return Post(number, address, field, with_token, headers, json.dumps(body).encode())
