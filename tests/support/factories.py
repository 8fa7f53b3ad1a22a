"""Factories of request bodies and tokens: each call gives a new person or outreach unless the test chooses one."""

import itertools
from typing import Any

from osdi.access.tokens import new_token
from osdi.match_keys import MatchKeyRules
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS

# Settings of a deployment that lets everybody call as often and as quickly as they like: tests are one address.
UNLIMITED = dict.fromkeys(
    (
        "rate_limit_anonymous",
        "rate_limit_anonymous_bytes",
        "rate_limit_token",
        "rate_limit_contact",
        "rate_limit_sign_in",
    ),
    "",
) | {"repeat_seconds": 0, "form_seconds": 0}

# The rules of a deployment with the default settings.
RULES = MatchKeyRules("osdi_outreach", "")

_numbers = itertools.count(1)


def person(**fields: Any) -> dict[str, Any]:
    """Somebody new, known by their own e-mail address; `None` leaves a field out."""
    number = next(_numbers)
    body = {
        "given_name": f"Given{number}",
        "family_name": f"Family{number}",
        "email_addresses": [{"address": f"person{number}@example.com"}],
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def outreach(**fields: Any) -> dict[str, Any]:
    """A helper's body: a call by somebody new to one target."""
    body = {
        "person": person(),
        "type": "phone",
        "duration": 120,
        "targets": [{"title": "Senator", "given_name": "John", "family_name": "Smith"}],
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def message(**fields: Any) -> dict[str, Any]:
    """A message that can be sent as an autoresponse."""
    number = next(_numbers)
    body = {
        "identifiers": [f"crm:thanks{number}"],
        "type": "email",
        "subject": "Thank you",
        "body": "<p>Dear {{ person.given_name | default('friend') }}, thank you.</p>",
        "from": "The River <hello@river.example.org>",
        **fields,
    }
    return {name: value for name, value in body.items() if value is not None}


def text(**fields: Any) -> dict[str, Any]:
    """A message that can be sent as a text, or spoken in a call."""
    return message(**{"type": "sms", "subject": None, "from": None, "body": "Thank you!", **fields})


def by_email(address: str, **fields: Any) -> dict[str, Any]:
    """Returns a helper's body; its person has this e-mail address and the fields of the test only."""
    return outreach(person={"email_addresses": [{"address": address}], **fields})


def token(store: Store, **fields: Any) -> str:
    """The secret of a new token, stored with these fields besides; without `scopes` it has every one."""
    secret, document = new_token("factory")
    store.write(Insert(TOKENS, document | fields))
    return secret
