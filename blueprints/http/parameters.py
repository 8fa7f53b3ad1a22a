"""Path and header parameters that several views share, and the class of all routes."""

import re
from collections.abc import Callable
from typing import Any, Final

from werkzeug.routing import Rule, UnicodeConverter

from osdi.resources import HELPERS
from osdi.sample import CAMPAIGN_ID

# Last segments of URLs that are no ids, although a resource's id can be in their place.
RESERVED_SEGMENTS: Final = (*HELPERS, "duplicates")

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
MAX_IDEMPOTENCY_KEY_LENGTH: Final = 255
IDEMPOTENCY_PARAMETER: Final = {
    "in": "header",
    "name": IDEMPOTENCY_KEY,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY_LENGTH},
    "description": "A unique value for this outreach. A repeated request within 24 hours records nothing twice.",
}
CAMPAIGN_PARAMETER: Final = {
    "in": "path",
    "name": "advocacy_campaign_id",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "The campaign's id: the last part of its URL.",
    "example": CAMPAIGN_ID,
}


class ResourceId(UnicodeConverter):
    """The id of a resource in a path: any segment except RESERVED_SEGMENTS.

    So `GET /people/person_signup_helper` is a wrong method (405), and does not ask for a person of that name (404).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.regex = rf"(?!(?:{'|'.join(map(re.escape, RESERVED_SEGMENTS))})\Z){self.regex}"


class Route(Rule):
    """A route that compiles the functions for building its URL when the first URL is built.

    The links of resources are made without them (see osdi.hal), and compiling them for each route takes most of the
    time in which an application is created.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled, compile_now = None, super()._compile_builder

        def build(route: Rule, /, **values: Any) -> tuple[str, str]:
            nonlocal compiled
            compiled = compiled or compile_now(append_unknown)
            return compiled(route, **values)

        return build
