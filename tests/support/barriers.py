"""Barriers of a page that axe finds: all rules run on the light page, and those about colours on the dark page too."""

from weakref import WeakKeyDictionary

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import CDPSession, Page

WORLD = "axe"
_sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()


def barriers(page: Page, *, within: str = "html", dark: bool = False) -> str:
    """Returns what axe reports about an element. With `dark` also the contrasts in dark colours: the rest is the same.

    axe runs in a world of its own beside the scripts of the page, so the policy of the page stays in force.
    """
    session = _session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": WORLD})["executionContextId"]
    report = _violations(session, world, within, "")
    if dark:
        page.emulate_media(color_scheme="dark")
        report += _violations(session, world, within, "runOnly: ['color-contrast', 'link-in-text-block'],")
        page.emulate_media(color_scheme="light")
    return report


def _session(page: Page) -> CDPSession:
    """Returns a session in which Chromium loads axe into the present document of a page and into each later one.

    Chromium then compiles axe once for all documents. That saves time.
    """
    if page not in _sessions:
        session = page.context.new_cdp_session(page)
        session.send("Page.enable")
        script = {"source": AXE_SCRIPT, "worldName": WORLD, "runImmediately": True}
        session.send("Page.addScriptToEvaluateOnNewDocument", script)
        _sessions[page] = session
    return _sessions[page]


def _violations(session: CDPSession, world: int, within: str, rules: str) -> str:
    run = f"axe.run('{within}', {{{rules} resultTypes: ['violations'], iframes: false}})"
    options = {"expression": run, "contextId": world, "awaitPromise": True, "returnByValue": True}
    found = AxeResults(session.send("Runtime.evaluate", options)["result"]["value"])
    return found.generate_report() if found.violations_count else ""
