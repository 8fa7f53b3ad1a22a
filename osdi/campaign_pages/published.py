"""Finds the campaign of a public page by its slug."""

import datetime as dt
from dataclasses import dataclass

from osdi.access.anonymous_posts import AnonymousPosts
from osdi.campaign_pages.page_settings import PageSettings, title_of
from osdi.crud.reference_cache import Reference
from osdi.documents import ReadOnlyDocument
from osdi.errors import not_found
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.settings import Settings
from osdi.store import DocumentStore


@dataclass(frozen=True)
class Page:
    """A published page: the campaign's document and its page settings."""

    campaign: ReadOnlyDocument
    settings: PageSettings

    @property
    def title(self) -> str:
        """The title of the campaign, as a page shows it."""
        return title_of(self.campaign)

    @property
    def slug(self) -> str:
        """The present slug. A published page has one."""
        return self.settings.slug or ""

    def is_open(self, deployment: Settings, timestamp: dt.datetime) -> bool:
        """True if the page accepts outreaches at this moment (naive UTC).

        It does until its closing date, unless the campaign or the deployment rejects posts without a token.
        """
        return AnonymousPosts.of(deployment, self.campaign).enabled and not self.settings.closed(timestamp)


class PageMoved(Exception):
    """The page has another slug now: the caller redirects to it permanently."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


def find_page(reference: Reference, slug: str) -> Page:
    """Returns the published page with this slug.

    Raises PageMoved for a former slug and for another letter case, OsdiError 404 for a slug that no campaign has and
    for a page that is not published (the same error, so that nobody learns of a draft), and OsdiError 503.
    """
    campaign = reference.campaign_of_slug(slug.lower())
    settings = PageSettings.of(campaign or {})
    if campaign is None or not settings.published or settings.slug is None:
        raise not_found("There is no such page.", ADVOCACY_CAMPAIGN.rel)
    if settings.slug != slug:
        raise PageMoved(settings.slug)
    return Page(campaign, settings)


def published_pages(store: DocumentStore, *, limit: int, before: str | None = None) -> list[Page]:
    """Returns published pages, those of the newest campaigns first; only of campaigns before the id `before`.

    Raises OsdiError 503.
    """
    query = {"page.published": True, **({"_id": {"$lt": before}} if before else {})}
    found = store.find(ADVOCACY_CAMPAIGN.collection, query, sort=("-_id",), limit=limit)
    return [Page(each, PageSettings.of(each)) for each in found]
