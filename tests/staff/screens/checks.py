"""Checks of a page: barriers that axe finds, small screens, the keyboard, and forced colours."""

import itertools
from typing import Any

from playwright.sync_api import Page

PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 720}
MIN_FONT_PIXELS, MIN_TARGET_PIXELS = (
    16,
    24,
)  # pixels: iOS zooms into smaller texts of inputs, and fingers miss smaller targets
MAX_TABS = 1_000


def widths(page: Page) -> list[int]:
    """Returns the width of the page on a phone: with text of the usual size, and with text of twice that size."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found = []
    for size in ("200%", "100%"):
        page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
        found.append(page.evaluate("document.documentElement.scrollWidth"))
    return found


def small_controls(page: Page) -> list[str]:
    """Returns the controls on a phone whose text or whose target is too small. Links in a sentence may be small."""
    found: list[str] = page.evaluate(
        """([font, target]) => [...document.querySelectorAll(
            "button, input:not([type=hidden]), select, textarea, summary, nav a, .button, td a, .todo > li > p > a"
        )].filter(each => each.checkVisibility()).filter(each => {
            const box = each.getBoundingClientRect();
            const typed = each.matches("input, select, textarea");
            return Math.min(box.height, box.width) < target
                || typed && parseFloat(getComputedStyle(each).fontSize) < font;
        }).map(each => each.outerHTML.slice(0, 300))""",
        [MIN_FONT_PIXELS, MIN_TARGET_PIXELS],
    )
    return found


WATCH = """() => {
    const visible = each => each.checkVisibility({visibilityProperty: true});
    const controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
        .filter(each => each.type !== "hidden" && !each.disabled && visible(each));
    const seen = new Set(), problems = [];
    const look = () => {
        const each = document.activeElement;
        if (!each || each === document.body || seen.has(each)) return;
        seen.add(each);
        const box = each.getBoundingClientRect(), style = getComputedStyle(each);
        const on = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 20) / 2);
        const name = each.outerHTML.slice(0, 200);
        if (style.outlineStyle === "none") problems.push(`no outline: ${name}`);
        if (box.width < 1 || box.bottom <= 0 || box.top >= innerHeight) problems.push(`not in view: ${name}`);
        if (box.height <= innerHeight && !(on === each || each.contains(on) || on?.contains(each)))
            problems.push(`covered: ${name}`);
    };
    document.addEventListener("keyup", look, true);
    window.walk = () => ({
        problems: problems.concat(
            controls.filter(each => !seen.has(each)).map(each => `not reached: ${each.outerHTML}`)
        ),
        complete: controls.every(each => seen.has(each)),
    });
    document.activeElement?.blur();
    scrollTo(0, 0);
    return controls.length;
}"""


def keyboard_problems(page: Page) -> list[str]:
    """Presses Tab through the page. Returns the controls that it does not reach, shows without outline, or covers."""
    controls = page.evaluate(WATCH)
    found: dict[str, Any] = {}
    for tabs in itertools.chain([controls], itertools.repeat(5, MAX_TABS // 5)):
        for _ in range(tabs):
            page.keyboard.press("Tab")
        found = page.evaluate("walk()")
        if found["complete"]:
            break
    return list(found["problems"])


FORCED = """() => [...document.querySelectorAll("main *, header *")].filter(each => {
    if (!each.checkVisibility() || each.namespaceURI !== document.body.namespaceURI) return false;
    const style = getComputedStyle(each), ground = getComputedStyle(document.body).backgroundColor;
    const drawn = each.matches("input:not([type=hidden], [type=checkbox]), select, textarea, button:not(.plain)");
    const text = [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    return drawn && parseFloat(style.borderTopWidth) === 0 || text && style.color === ground;
}).map(each => each.outerHTML.slice(0, 300))"""


def invisible_in_forced_colours(page: Page) -> list[str]:
    """Returns the controls that have no border, and the texts that have the colour of the background, in this mode."""
    page.emulate_media(forced_colors="active")
    found: list[str] = page.evaluate(FORCED)
    page.emulate_media(forced_colors="none")
    return found
