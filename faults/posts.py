"""What is posted: each post is an outreach of its own, and says in its body which one it is.

The mix has what the service treats differently: with a token and without, recognisable by the outreach's identifier or
by an Idempotency-Key, about somebody new, about somebody whom other clients make at the same moment, about somebody who
is known and says nothing new, and about somebody with nothing but a name.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

OWN, SHARED, KNOWN, NAMELESS = "own", "shared", "known", "nameless"
PATTERN: Final = (OWN, SHARED, KNOWN, SHARED, OWN, NAMELESS, SHARED, OWN)
# So many posts in a row have one person for those of them that are about a shared one.
POSTS_OF_A_SHARED_PERSON: Final = 32
KNOWN_PEOPLE: Final = 20
SAID: Final = "said"
TOKEN_HEADER: Final = "OSDI-API-Token"


@dataclass(frozen=True)
class Post:
    """One outreach to record, as often as it takes, always with the same identifier or key.

    `address` is its person's e-mail address, None for somebody without. `field` is what it says about the person: the
    name of a custom field, None where it says nothing new.
    """

    number: int
    address: str | None
    field: str | None
    with_token: bool
    headers: dict[str, str]
    body: bytes

    @property
    def source(self) -> str:
        """What tells this post's outreach from all others in the database, whatever the server makes of retries."""
        return source(self.number)


def source(number: int) -> str:
    """The `referrer_data.source` of a post's outreach."""
    return f"post-{number}"


def post(number: int, token: str) -> Post:
    """The post of this number; the same number is the same post."""
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
        person["custom_fields"] = {field: SAID}
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
