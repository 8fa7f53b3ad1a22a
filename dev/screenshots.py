"""Writes the screenshots that docs/ and the README show (`make screenshots`): the campaign page and the staff pages.

With a folder as its argument it writes those of all steps into it, in light and dark, for a review. It starts a
database and a server of its own, takes part in the sample campaign as supporters do, and opens each page in Chromium.
Nothing on the pages depends on the day, so a repetition changes only what has changed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from pymongo import MongoClient

from dev.mongod import Mongod, free_port
from dev.staff_screenshots import NAMES, take_staff_screenshots
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, SLUG, create_sample
from osdi.settings import Settings
from osdi.store import Store

FOLDER: Final = Path(__file__).parents[1] / "docs" / "screenshots"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
IMAGE: Final = "https://images.example.org/river.svg"
SUPPORTERS: Final = 68
START_SECONDS: Final = 30
DESKTOP: Final = {"width": 1200, "height": 860}
PHONE: Final = {"width": 390, "height": 844}
# Those that pages show.
OF_SUPPORTERS: Final = ("page-desktop-light", "page-phone-dark", "acting-phone-light", "embed-desktop-light")
SHOWN: Final = (*OF_SUPPORTERS, *NAMES)
SITE: Final = """<!DOCTYPE html><html lang="en"><title>River Alliance</title>
<style>body {{ font: 1.0625rem/1.6 Georgia, serif; max-width: 44rem; margin: 2rem auto; padding: 0 1.25rem }}
iframe {{ border: 1px solid #d5dbda; border-radius: 12px; width: 100% }}</style>
<h1>Our campaign for the river</h1>
<p>This is a page of the organisation's own web site. The form below comes from the outreach server.</p>
<iframe src="{url}/embed" title="Ask your senators to protect the river" height="720"></iframe>
<script async src="{server}/act/embed.js"></script></html>"""


def main() -> int:
    """Takes the screenshots. Returns the exit code."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if chromium is None:
        print(f"This needs one of {', '.join(BROWSERS)} on PATH.", file=sys.stderr)
        return 1
    folder.mkdir(exist_ok=True)
    with _server() as (url, uri), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size, scheme, steps in _shots(url):
            if folder != FOLDER or name in OF_SUPPORTERS:
                _take(browser, folder / f"{name}.png", size, scheme, steps)
        take_staff_screenshots(browser, url, uri, folder)
        browser.close()
    return 0


def _shots(url: str) -> Iterator[tuple[str, dict[str, int], str, Any]]:
    """Yields the name of each screenshot, the size of the window, the colour scheme and the steps before it."""
    page = f"{url}/act/{SLUG}"

    def opened(visit: Page) -> None:
        visit.goto(page)

    def acting(visit: Page) -> None:
        visit.goto(page)
        visit.get_by_label("First name").fill("Jane")
        visit.get_by_label("Last name").fill("Doe")
        visit.get_by_label("E-mail address").fill("jane@example.org")
        visit.get_by_role("button", name="Record and continue").click()
        expect(visit.locator("h1[data-focus]")).to_be_visible()

    def thanks(visit: Page) -> None:
        visit.goto(f"{page}/thanks")

    def mistake(visit: Page) -> None:
        visit.goto(page)
        visit.get_by_label("First name").fill("Jane")
        visit.get_by_role("button", name="Record and continue").click()
        expect(visit.get_by_role("alert")).to_be_visible()

    def framed(visit: Page) -> None:
        visit.route(
            "**/site", lambda route: route.fulfill(body=SITE.format(url=page, server=url), content_type="text/html")
        )
        visit.goto(f"{url}/site")
        expect(visit.frame_locator("iframe").get_by_role("button", name="Record and continue")).to_be_visible()

    for step in (opened, acting, thanks, mistake, framed):
        name = {"opened": "page", "framed": "embed"}.get(step.__name__, step.__name__)
        for window, size in (("desktop", DESKTOP), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                yield f"{name}-{window}-{scheme}", size, scheme, step


def _take(browser: Browser, file: Path, size: dict[str, int], scheme: Any, steps: Any) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme, locale="en-US") as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.route(IMAGE, _fulfil_image)
        steps(page)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=file, full_page=size is PHONE)
        print(f"wrote {file.name}: {file.stat().st_size // 1000} kB")


def _fulfil_image(route: Route) -> None:
    route.fulfill(path=Path(__file__).with_name("river.svg"), content_type="image/svg+xml")


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """Yields the addresses of a server with the sample campaign, in which people take part, and of its database."""
    with tempfile.TemporaryDirectory() as folder, Mongod(Path(folder)) as mongod:
        store = Store(mongod.uri)
        store.create_indexes()
        create_sample(store, Settings.namespace)
        store.close()
        with MongoClient[dict[str, Any]](mongod.uri) as client:
            change = {"$set": {"featured_image_url": IMAGE}}
            client.get_default_database().advocacy_campaigns.update_one({"_id": CAMPAIGN_ID}, change)
        port = free_port()
        environment = os.environ | {
            "MONGODB_URI": mongod.uri,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "FORM_SECONDS": "0",
            "RATE_LIMIT_ANONYMOUS": "100000/minute",
            "PUBLIC_URL": "https://outreach.example.org",
            "VENDOR_NAME": "River Alliance",
            "SMTP_URL": "smtp://127.0.0.1:9",
            "MAIL_FROM": "River Alliance <hello@river.example.org>",
        }
        server = subprocess.Popen([sys.executable, "-m", "gunicorn", "wsgi:app"], env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_up(url)
            for number in range(SUPPORTERS):
                _record(url, number)
            yield url, mongod.uri
        finally:
            server.terminate()
            server.wait()


def _record(url: str, number: int) -> None:
    body = {"person": {"email_addresses": [{"address": f"supporter{number}@example.org"}]}, "type": "phone"}
    address = f"{url}{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
    request = urllib.request.Request(address, json.dumps(body).encode(), method="POST")  # noqa: S310  # our own address
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}{API}/", timeout=5).close()  # noqa: S310
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)  # not listening yet: retried until the deadline


if __name__ == "__main__":
    sys.exit(main())
