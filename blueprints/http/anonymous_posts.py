"""Checks of a helper's body that came without a token, before its person is looked up.

A body that fills the honeypot is answered like any other, and dropped. The policy of deployment and campaign decides
what a body may ask for. A signup that comes too often is rejected.
"""

from collections.abc import Mapping
from typing import Any

from flask import g, request

from blueprints.http.body import request_body
from blueprints.http.context import settings
from blueprints.http.rate_limits import rate_limits
from osdi.access.anonymous_posts import AnonymousPosts
from osdi.match_keys import mailbox_key


def honeypot_filled() -> bool:
    """True if the body fills the honeypot: a field that a page hides from people, so that only a bot fills it.

    The metrics count it, so that an operator notices a honeypot that people fill.
    """
    name = settings().honeypot_field
    filled = bool(name) and bool(request_body().json.get(name))
    if filled:
        g.rejected = "HONEYPOT"
    return filled


def apply_policy(body: Mapping[str, Any], campaign: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the loaded body without the actions that the policy forbids.

    Raises OsdiError 401 or 403, see AnonymousPosts.
    """
    policy = AnonymousPosts.of(settings(), campaign)
    return policy.apply(body, request.headers.get("Origin"), strict=request_body().strict)


def limit_signups(body: Mapping[str, Any]) -> None:
    """Counts a signup by its sender and contact detail. Raises OsdiError 429, because no outreach would be lost."""
    keys = settings().match_key_rules.match_keys(body.get("person", {}), trusted=False)
    rate_limits().hit_signup(request.remote_addr, list(dict.fromkeys(map(mailbox_key, keys.contacts))))
