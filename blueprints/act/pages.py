"""The page of a campaign, and its form for frames."""

from typing import Any

from flask import render_template

from blueprints.act.blueprint import act
from blueprints.browser.translation import use_language
from blueprints.http.context import store
from osdi.campaign_pages.published import Page, find_page
from osdi.errors import not_found


@act.get("/<string:slug>")
def page(slug: str) -> str:
    """Show the page of a campaign"""
    return render_template("act/page.html", **page_values(published(slug)))


@act.get("/<string:slug>/embed")
def embed(slug: str) -> str:
    """Show the form of a campaign alone"""
    return render_template("act/embed.html", **page_values(published(slug)))


@act.get("/<path:_>")
def unknown(_: str) -> str:
    """Answer any other address below with a page for people"""
    raise not_found("This page does not exist.")


def published(slug: str) -> Page:
    """Returns the published page with this slug, and sets its language. Raises OsdiError 404."""
    found = find_page(store(), slug)
    if found is None:
        raise not_found("This page does not exist.")
    if found.settings.language:
        use_language(found.settings.language)
    return found


def page_values(found: Page) -> dict[str, Any]:
    """Returns the values that every template of a page uses."""
    campaign = found.campaign
    return {
        "campaign": campaign,
        "page": found.settings,
        "title": campaign.get("title") or campaign.get("name") or "",
        "id_prefix": "act",
    }
