"""Barriers of a page that axe finds: all rules run on the light page, and those about colours on the dark page too."""

from weakref import WeakKeyDictionary

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import CDPSession, Page

WORLD = "axe"
_sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()

OPTIONS = "resultTypes: ['violations'], iframes: false"
BUT_CONTRASTS = f"{{rules: {{'color-contrast': {{enabled: false}}}}, {OPTIONS}}}"
COLOURS = (
    "{runOnly: ['color-contrast', 'link-in-text-block'], resultTypes: ['violations', 'incomplete'], iframes: false}"
)
# One of the elements with each look: the colours, sizes and grounds that its contrast is computed from. axe takes three
# quarters of its time for contrasts, and the cells of a table, for example, have the same.
ONE_OF_EACH_LOOK = """(within => {
    const grounds = each => each ? grounds(each.parentElement) + ground(getComputedStyle(each)) : "";
    const ground = ({ backgroundColor, backgroundImage, opacity, position, filter }) =>
        `${backgroundColor} ${backgroundImage} ${opacity} ${position} ${filter}/`
            .replace("rgba(0, 0, 0, 0) none 1 static none/", "");
    const look = each => {
        const { color, fontSize, fontWeight, textShadow, textDecorationLine } = getComputedStyle(each);
        const around = getComputedStyle(each.parentElement ?? each).color;
        return [color, fontSize, fontWeight, textShadow, textDecorationLine, around, grounds(each)].join();
    };
    const hasText = each => [...each.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const shown = [...document.querySelectorAll(`${within}, ${within} *`)].filter(
        each => (hasText(each) || each.matches("input, select, textarea")) && each.checkVisibility());
    return [...new Map(shown.map(each => [look(each), each])).values()];
})"""


def barriers(page: Page, *, within: str = "html", dark: bool = False) -> str:
    """Returns what axe reports about an element. With `dark` also the contrasts in dark colours: the rest is the same.

    axe runs in a world of its own beside the scripts of the page, so the policy of the page stays in force.
    """
    session, world = _world(page)
    report = _violations(session, world, f"axe.run('{within}', {BUT_CONTRASTS})") + _contrasts(session, world, within)
    return report + barriers_in_dark(page, within=within) if dark else report


def barriers_in_dark(page: Page, *, within: str = "html") -> str:
    """Returns what axe reports about the contrasts of an element in dark colours."""
    page.emulate_media(color_scheme="dark")
    report = _contrasts(*_world(page), within)
    page.emulate_media(color_scheme="light")
    return report


def _world(page: Page) -> tuple[CDPSession, int]:
    """Returns the session of a page, and the world of axe beside its present document."""
    session = _session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": WORLD})
    return session, world["executionContextId"]


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


def _contrasts(session: CDPSession, world: int, within: str) -> str:
    """Returns what axe reports about the present colours of an element, if there is any text.

    If axe cannot judge one of the texts, such as a single letter, it looks at the others that look the same, too.
    """
    every, texts = f"axe.run('{within}', {COLOURS})", f"{ONE_OF_EACH_LOOK}('{within}')"
    judged = f"axe.run({{include: texts}}, {COLOURS}).then(found => found.incomplete.length ? {every} : found)"
    return _violations(session, world, f"(texts => texts.length ? {judged} : {{violations: []}})({texts})")


def _violations(session: CDPSession, world: int, run: str) -> str:
    options = {"expression": run, "contextId": world, "awaitPromise": True, "returnByValue": True}
    found = AxeResults(session.send("Runtime.evaluate", options)["result"]["value"])
    return found.generate_report() if found.violations_count else ""
