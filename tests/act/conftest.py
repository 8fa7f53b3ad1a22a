"""A browser, a server with a published campaign, and an organisation's own site that embeds its form."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.ids import new_id, now
from osdi.store import Store
from tests.support.browser import PUBLIC_NAME, Visit, visiting
from tests.support.live import Live
from tests.support.site import Site

# A server of images, whose responses the tests make.
IMAGES = "https://images.example.net"


@dataclass(frozen=True)
class Served:
    """gunicorn with a database of its own, in which tests publish campaigns."""

    live: Live
    database: Database
    site: Site

    @property
    def url(self) -> str:
        return f"http://{PUBLIC_NAME}:{self.live.port}"

    def publish(self, page: dict[str, Any] | None = None, **fields: Any) -> "Published":
        """Inserts a campaign with these fields and page settings; the organisation's site may frame its form."""
        campaign_id, moment = new_id(), now()
        slug = f"river-{campaign_id}"
        campaign = {
            "_id": campaign_id,
            "version": 1,
            "created_date": moment,
            "modified_date": moment,
            "match_keys": [f"id:osdi_outreach:{campaign_id}", f"slug:{slug}"],
            "title": "Save the river",
            "type": "email",
            "anonymous_posts": {"origins": [self.site.url]},
            "page": {"published": True, "slug": slug, **(page or {})},
            **fields,
        }
        self.database.advocacy_campaigns.insert_one(campaign)
        return Published(self, campaign)


@dataclass(frozen=True)
class Published:
    """A campaign with a published page."""

    served: Served
    campaign: dict[str, Any]

    @property
    def url(self) -> str:
        return f"{self.served.url}/act/{self.campaign['page']['slug']}"

    @property
    def embed_url(self) -> str:
        return f"{self.url}/embed"

    def frame(self, attributes: str = "", query: str = "") -> str:
        """Returns the snippet of a frame."""
        return (
            f'<iframe src="{self.embed_url}{query}" title="Save the river" width="100%" height="720" {attributes}>'
            "</iframe>"
        )

    def script(self) -> str:
        """Returns the snippet of the script that improves frames."""
        return f'<script async src="{self.served.url}/act/embed.js"></script>'

    def outreaches(self) -> list[dict[str, Any]]:
        return list(self.served.database.outreaches.find({"advocacy_campaign_id": self.campaign["_id"]}))


@pytest.fixture(scope="package")
def served(mongod: Mongod) -> Iterator[Served]:
    uri = mongod.uri.replace("/osdi?", "/campaign_pages?")
    store = Store(uri)
    store.create_indexes()
    store.close()
    with MongoClient(uri) as client, Site() as site:
        # A double click on a form of another site is recognised by its body, as by default.
        chosen = {"FORM_SECONDS": "0", "CACHE_SECONDS": "0", "CAMPAIGN_LIST": "true", "REPEAT_SECONDS": "10"}
        with Live({"MONGODB_URI": uri, **chosen}) as live:
            yield Served(live, client.get_default_database(), site)
        client.drop_database("campaign_pages")


@pytest.fixture(scope="package")
def published(served: Served) -> Published:
    """A campaign that no test changes."""
    return served.publish()


@pytest.fixture
def open_page(browser: Browser, served: Served) -> Iterator[Callable[..., Visit]]:
    """Opens a page in a browser with an empty profile; options are those of Playwright's `new_context`.

    Afterwards the test fails if a page called a server of somebody else, logged a message or has a cookie.
    """
    with ExitStack() as stack:

        def open_one(address: str = "", **options: Any) -> Visit:
            context = stack.enter_context(browser.new_context(**options))
            visit = stack.enter_context(visiting(context, served.url, served.site.url, IMAGES))
            stack.callback(lambda: expect_no_cookies(context))
            if address:
                visit.page.goto(address)
            return visit

        yield open_one


def expect_no_cookies(context: BrowserContext) -> None:
    assert context.cookies() == []
