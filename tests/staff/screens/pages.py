"""The staff pages that a browser can open, from the table of routes, which test_access.py compares with the url_map.

A page with new arguments needs data for them: `address_of` raises KeyError for an argument without a value.
"""

import re
from collections.abc import Mapping

from tests.staff.test_access import ROUTES

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
# These lead to an OpenID provider and back: tests/staff/oidc.
OF_A_PROVIDER = {"/staff/sign-in/oidc", "/staff/oidc/callback"}
# Files are no pages: their last part has an extension, except for these.
FILES = {"/staff/imports/<import_id>/progress", "/staff/imports/<import_id>/rejected"}
PAGES = tuple(
    rule
    for method, rule in ROUTES
    if method == "GET" and "." not in rule.rpartition("/")[2] and rule not in FILES | OF_A_PROVIDER
)
FORMS = tuple(rule for method, rule in ROUTES if method == "POST")
# Pages without a route of their own, and their status.
OTHER_PAGES = {
    "/staff/link/ended": 404,
    "/nowhere": 404,
    "/staff/people?text=nobody": 200,
    "/staff/people?status=subscribed&sort=latest": 200,
    "/staff/people?created=tomorrow": 422,
    "/staff/campaigns?sort=-outreaches": 200,
    "/staff/campaigns/<advocacy_campaign_id>/statistics?from=2026-03-02&to=2026-03-01": 400,
}
# The arguments behind the question mark, for pages that show little without them.
QUERIES = {
    "/staff/people/add": "?person={person_id}&person={other_id}",
    "/staff/people/remove": "?person={person_id}&person={other_id}",
    "/staff/people/<person_id>/answers/new": "?question={question_id}",
    "/staff/followups/retry": "?id={followup_id}",
    "/staff/devices": "?done=device_signed_out",
    "/staff/campaigns/<advocacy_campaign_id>": "?done=campaign_saved",
}
# These pages are for browsers that have not signed in.
SIGNED_OUT = {"/staff/sign-in", "/staff/sign-in/code", "/staff/link/<string:secret>", "/staff/link/ended", "/nowhere"}


def address_of(rule: str, arguments: Mapping[str, str]) -> str:
    """Returns the path of a page with these arguments. Raises KeyError for an argument without a value."""
    path = ARGUMENT.sub(lambda found: arguments[found[1]], rule)
    return path + QUERIES.get(rule, "").format_map(arguments)
