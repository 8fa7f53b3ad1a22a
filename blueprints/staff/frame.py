"""The frame of the staff pages: rendering, the values that each template uses, and the headers of each response."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, g, make_response, render_template, request, url_for

from blueprints.browser.content_security_policy import content_security_policy
from blueprints.browser.documentation import asset_url
from blueprints.browser.translation import use_language
from blueprints.http.context import settings
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.forgery import FIELD, form_token
from blueprints.staff.stylesheet import stylesheet_url
from osdi.access.tokens import READ, Caller
from osdi.languages import SOURCE_LANGUAGE
from osdi.staff.sessions import StaffSession

HEADERS: Final = (
    ("Content-Security-Policy", content_security_policy()),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    # With `no-referrer` a browser would send the Origin of our own forms as `null`.
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex"),
)
# The endpoints in the navigation, in its order. frame.html has their names.
NAVIGATION: Final = (
    "home",
    "campaigns",
    "people",
    "messages",
    "followups",
    "imports",
    "exports",
    "settings_overview",
)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Returns a page made from a template of templates/staff/, in English: staff pages have no translations yet."""
    use_language(SOURCE_LANGUAGE)
    return make_response(render_template(f"staff/{template}", status=status, **values), status)


def session() -> StaffSession | None:
    """Returns the session of this request, which the gate has found."""
    found: StaffSession | None = g.get("staff_session")
    return found


def signed_in() -> StaffSession:
    """Returns the session of this request, in a view that needs one."""
    found = session()
    assert found is not None
    return found


def may_call(caller: Caller, access: Access) -> bool:
    """True if this member may call a view with this access, for the member's campaign if there is one."""
    in_scope = access.scope is None or caller.may(access.scope)
    return (
        in_scope and (not access.shows or caller.may(READ)) and (access.campaign or caller.advocacy_campaign_id is None)
    )


def safe_next(address: str) -> str:
    """Returns the address if it is a path of the staff pages, to which a form may lead; else the home page's."""
    home = url_for("staff.home")
    plain = address.isascii() and address.isprintable() and len(address) <= 500
    inside = address == home or address.startswith((f"{home}/", f"{home}?"))
    return address if plain and inside and not set(address) & set("\\ ") else home


@pages.context_processor
def _frame_values() -> dict[str, Any]:
    found = session()
    allowed = [name for name in NAVIGATION if found and may_call(found.caller, pages.access_of(name))]
    return {
        "organisation": settings().vendor_name,
        "oidc_name": urlsplit(settings().oidc_issuer).hostname or "",
        "member": found.member if found else None,
        "navigation": allowed,
        "here": (request.endpoint or "").rpartition(".")[2],
        "done": request.args.get("done", ""),
        "form_token": form_token,
        "form_token_field": FIELD,
        "stylesheet_url": stylesheet_url,
        "asset_url": asset_url,
        "local_time": _local_time,
        "may": lambda endpoint: bool(found and may_call(found.caller, pages.access_of(endpoint))),
    }


def _local_time(timestamp: dt.datetime) -> dt.datetime:
    """Returns a time (naive UTC) in the zone of the deployment."""
    return timestamp.replace(tzinfo=dt.UTC).astimezone(settings().zone)


def with_headers(response: Response, *, without: Iterable[str] = ()) -> Response:
    """Adds the headers of the staff pages, except for those that a view has set and those in `without`."""
    for name, value in HEADERS:
        if name not in without:
            response.headers.setdefault(name, value)
    return response
