"""Barriers of a page that axe finds: all rules run on the light page, and those about colours on the dark page too."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import CDPSession, Page


def barriers(page: Page, *, within: str = "html", dark: bool = False) -> str:
    """Returns what axe reports about an element. With `dark` also the contrasts in dark colours: the rest is the same.

    axe runs in a world of its own beside the scripts of the page, so the policy of the page stays in force.
    """
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": f"{AXE_SCRIPT}; null", "contextId": world})
    report = _violations(session, world, within, "")
    if dark:
        page.emulate_media(color_scheme="dark")
        report += _violations(session, world, within, "runOnly: ['color-contrast', 'link-in-text-block'],")
        page.emulate_media(color_scheme="light")
    session.detach()
    return report


def _violations(session: CDPSession, world: int, within: str, rules: str) -> str:
    run = f"axe.run('{within}', {{{rules} resultTypes: ['violations'], iframes: false}})"
    options = {"expression": run, "contextId": world, "awaitPromise": True, "returnByValue": True}
    found = AxeResults(session.send("Runtime.evaluate", options)["result"]["value"])
    return found.generate_report() if found.violations_count else ""
