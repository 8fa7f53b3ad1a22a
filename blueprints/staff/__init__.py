"""Pages for the staff of an organisation, under /staff: HTML that works without JavaScript.

`blueprint` has the class of the blueprint, which no view can be part of without a declared access. `gate` applies the
declarations, CSRF protection, headers and audit log to each request. The other modules have the views by subject.
"""

from blueprints.staff import (
    campaign,
    campaigns,
    devices,
    gate,
    home,
    messages,
    oidc,
    outreaches,
    people,
    settings,
    sign_in,
    stylesheet,
    transfers,
)
from blueprints.staff.blueprint import pages

__all__ = [
    "campaign",
    "campaigns",
    "devices",
    "gate",
    "home",
    "messages",
    "oidc",
    "outreaches",
    "pages",
    "people",
    "settings",
    "sign_in",
    "stylesheet",
    "transfers",
]
