"""Pages for the staff of an organisation, under /staff: HTML that works without JavaScript.

`blueprint` has the class of the blueprint, which no view can be part of without a declared access. `gate` applies the
declarations, CSRF protection, headers and audit log to each request. The other modules have the views by subject.
"""

from flask import Flask

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
from osdi.settings import Settings
from osdi.staff.oidc.provider import Provider

__all__ = [
    "add_pages",
    "campaign",
    "campaigns",
    "devices",
    "gate",
    "home",
    "messages",
    "oidc",
    "outreaches",
    "people",
    "settings",
    "sign_in",
    "stylesheet",
    "transfers",
]


def add_pages(app: Flask, deployment_settings: Settings) -> None:
    """Adds the staff pages to an application, and the OpenID provider if the settings name one."""
    if deployment_settings.oidc_issuer:
        app.extensions[oidc.EXTENSION] = Provider(deployment_settings)
    app.register_blueprint(pages)
