"""Chromium for tests, and a page that remembers its requests to other servers and its console messages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, expect, sync_playwright

# The headless shell is the engine without the user interface: a new page takes a fifth of the CPU time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Browsers disable some functions for pages that come neither from loopback nor over TLS; our pages must work without.
PUBLIC_NAME = "outreach.example.org"
# Another site, which embeds our pages.
SITE_NAME = "river.example.net"
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Otherwise Chromium starts a process for each new page, which takes as long as the page.
    "--process-per-site",
    # Pages of tests live for tenths of a second: other threads and processes cost them more than they save, and so do
    # the compilers that optimise scripts.
    *("--in-process-gpu", "--js-flags=--single-threaded --no-opt --no-maglev"),
    f"--host-resolver-rules=MAP {PUBLIC_NAME} 127.0.0.1,MAP {SITE_NAME} 127.0.0.1,MAP * ~NOTFOUND,"
    "EXCLUDE 127.0.0.1,EXCLUDE localhost",
)
TIMEOUT_MS = 30_000


@dataclass
class Visit:
    """A browser's page, with its requests to other servers and its console messages."""

    page: Page
    origins: tuple[str, ...]
    foreign_requests: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    expected_messages: list[str] = field(default_factory=list)

    def expect_status(self, status: int) -> None:
        """From now on the test expects error responses with this status, which Chromium's console reports."""
        self.expect_message(f"Failed to load resource: the server responded with a status of {status} ")

    def expect_message(self, beginning: str) -> None:
        """The test expects messages of the console that begin like this, before now or later."""
        self.expected_messages.append(beginning)

    def unexpected_messages(self) -> list[str]:
        expected = tuple(self.expected_messages)
        return [message for message in self.messages if not message.startswith(expected)]

    def record_request(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith((*self.origins, "data:", *(f"blob:{origin}" for origin in self.origins))):
            self.foreign_requests.append(request.url)

    def record_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.messages.append(message.text)

    def record_error(self, error: Error) -> None:
        self.messages.append(str(error))


def chromium() -> Iterator[Browser]:
    """Yields Chromium. If none is installed, the test is skipped; with REQUIRE_BROWSER=1, as in CI, it fails."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        reason = f"needs one of {', '.join(NAMES)} on PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, headless=True, args=list(OPTIONS))
        yield launched
        launched.close()


@contextmanager
def visiting(context: BrowserContext, *origins: str) -> Iterator[Visit]:
    """Yields a new page. Raises AssertionError if it called another server or logged an error or a warning."""
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    visited = Visit(page, tuple(f"{origin}/" for origin in origins))
    context.on("request", visited.record_request)
    context.on("console", visited.record_message)
    page.on("pageerror", visited.record_error)
    yield visited
    assert visited.foreign_requests == [], visited.foreign_requests
    assert visited.unexpected_messages() == [], visited.unexpected_messages()
