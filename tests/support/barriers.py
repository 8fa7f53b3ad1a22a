"""Barriers of a page that axe finds: its rules run once on a light page, and those about colours on the dark page too.

The rule about contrast takes two thirds of the time of axe. Its result depends on colours, backgrounds and fonts alone,
so an element is measured once: not again where it looks like an element that has passed in this process.
"""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import CDPSession, Page

# Numbers of the looks of elements whose contrast has passed.
_passed: set[int] = set()

# A look is all that contrast depends on: the colours and the font of an element, and each ground behind it.
MEASURE = """(() => {
const PASSED = "data-contrast-passed";
const ground = each => {
    const {backgroundColor, backgroundImage, opacity, mixBlendMode, filter} = getComputedStyle(each);
    const seen = [backgroundColor, backgroundImage, opacity, mixBlendMode, filter].join();
    return seen === "rgba(0, 0, 0, 0),none,1,normal,none" ? "" : seen;
};
const look = each => {
    const {color, fontSize, fontWeight, textShadow, webkitTextStroke} = getComputedStyle(each);
    let seen = [each.localName, color, fontSize, fontWeight, textShadow, webkitTextStroke].join();
    for (let behind = each; behind; behind = behind.parentElement) seen += ground(behind);
    let number = 0;
    for (const letter of seen) number = (Math.imul(number, 31) + letter.charCodeAt(0)) | 0;
    return number * 4096 + seen.length % 4096;
};
const shown = each => {
    const {width, height} = each.getBoundingClientRect();  // a text for screen readers alone has a box of a pixel
    return each.checkVisibility({visibilityProperty: true}) && width > 1 && height > 1;
};
const hasText = each => shown(each) && (each.matches("input, select, textarea")
    || [...each.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));

let looks, passed, linksInTexts = 0;
const compare = known => {
    looks = new Map();
    for (const each of document.querySelectorAll("body, body *")) {
        const number = look(each);
        looks.set(each, number);
        each.toggleAttribute(PASSED, known.has(number));
    }
};
axe.configure({rules: [{id: "color-contrast", selector: `*:not([${PASSED}])`}]});
axe.addReporter("with looks", (results, options, done, failed) => {
    for (const {id, passes, violations, incomplete} of results) {
        if (id === "color-contrast")
            passed = passes.map(each => each.node.element).filter(shown).map(each => looks.get(each));
        if (id === "link-in-text-block")
            linksInTexts += passes.length + violations.length + incomplete.length;
    }
    axe.getReporter("no-passes")(results, options, done, failed);
});
const run = async (within, options, known) => {
    passed = [];
    compare(new Set(known));
    const found = await axe.run(within, {...options, iframes: false, reporter: "with looks"});
    for (const each of looks.keys()) each.removeAttribute(PASSED);
    return {found, passed};
};
globalThis.barriers = (within, known) => run(within, {}, known);
globalThis.barriersOfOtherColours = async (within, known) => {
    const passedBefore = new Set(known);
    const unknown = [...document.querySelector(within).querySelectorAll("*")]
        .some(each => !passedBefore.has(look(each)) && hasText(each));
    return linksInTexts || unknown
        ? run(within, {runOnly: ["color-contrast", "link-in-text-block"]}, known)
        : {found: {violations: []}, passed: []};
};
})()"""


def barriers(page: Page, *, within: str = "html", dark: bool = False) -> str:
    """Returns what axe reports about an element. With `dark` also the contrasts in dark colours: the rest is the same.

    axe runs in a world of its own beside the scripts of the page, so the policy of the page stays in force.
    """
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": f"{AXE_SCRIPT};\n{MEASURE}; null", "contextId": world})
    report = _violations(session, world, "barriers", within)
    if dark:
        page.emulate_media(color_scheme="dark")
        report += _violations(session, world, "barriersOfOtherColours", within)
        page.emulate_media(color_scheme="light")
    session.detach()
    return report


def _violations(session: CDPSession, world: int, function: str, within: str) -> str:
    expression = f"{function}('{within}', {sorted(_passed)})"
    how = {"expression": expression, "contextId": world, "awaitPromise": True, "returnByValue": True}
    answer: dict[str, Any] = session.send("Runtime.evaluate", how)["result"]["value"]
    _passed.update(answer["passed"])
    found = AxeResults(answer["found"])
    return found.generate_report() if found.violations_count else ""
