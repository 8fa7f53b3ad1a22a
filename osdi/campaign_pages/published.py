"""Finds the campaign of a public page by its slug."""

from dataclasses import dataclass

from osdi.campaign_pages.page_settings import PageSettings
from osdi.documents import ReadOnlyDocument
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.store import DocumentStore


@dataclass(frozen=True)
class Page:
    """A published page: the campaign's document and its page settings."""

    campaign: ReadOnlyDocument
    settings: PageSettings


def find_page(store: DocumentStore, slug: str) -> Page | None:
    """Returns the published page with this slug, or None. Raises OsdiError 503."""
    for campaign in store.by_match_keys(ADVOCACY_CAMPAIGN.collection, [f"slug:{slug}"]):
        settings = PageSettings.of(campaign)
        if settings.published:
            return Page(campaign, settings)
    return None
