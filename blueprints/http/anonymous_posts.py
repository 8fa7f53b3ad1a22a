"""What becomes of a helper's body that came without a token, before its person is looked up.

The process: a bot that filled the honeypot is told nothing; the open door of the deployment or campaign says what is
taken; and a contact detail that is posted over and over is refused.
"""

from collections.abc import Mapping
from typing import Any

from flask import request

from blueprints.http.api import read_json
from blueprints.http.context import handles_strictly, settings
from blueprints.http.rate_limits import rate_limits
from osdi.access.anonymous_posts import AnonymousPosts


def honeypot_filled() -> bool:
    """Whether the body fills the honeypot: a field that a page hides from people, so only a bot fills it."""
    name = settings().honeypot_field
    return bool(name) and bool(read_json(request).get(name))


def taken(body: Mapping[str, Any], campaign: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the loaded body without the actions that the policy forbids.

    Raises OsdiError 401, 403 or 429, see AnonymousPosts and RateLimits.
    """
    found = AnonymousPosts.of(settings(), campaign).taken(
        body, request.headers.get("Origin"), strict=handles_strictly()
    )
    keys = settings().match_key_rules.match_keys(body.get("person", {}), trusted=False)
    rate_limits().hit_contacts(keys.contacts)
    return found
