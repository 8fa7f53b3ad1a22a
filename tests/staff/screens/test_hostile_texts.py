"""Stored texts that try to run code (XSS) are shown as texts by each staff page, and run nothing."""

from typing import Any

import pytest
from playwright.sync_api import Dialog

from tests.staff.screens import checks, data
from tests.staff.screens.conftest import Staff
from tests.staff.screens.hostile import MARKED, texts_in
from tests.staff.screens.pages import PAGES, SIGNED_OUT

pytestmark = pytest.mark.browser

# Each other page has to show stored texts besides the member's name, or the test would prove nothing about it.
WITHOUT_STORED_TEXTS = SIGNED_OUT | {
    "/staff/campaigns/new",
    "/staff/messages/new",
    "/staff/people/csv",
    "/staff/people/new",
    "/staff/confirm",
    "/staff/settings",
    "/staff/settings/staff/new",
    "/staff/settings/tokens/new",
    "/staff/settings/webhooks/new",
}
# These pages show the beginning of long texts: names of targets, and rows of a file.
WITH_CUT_TEXTS = {
    "/staff/outreaches",
    "/staff/campaigns/<advocacy_campaign_id>",
    "/staff/campaigns/<advocacy_campaign_id>/statistics",
    "/staff/imports/<import_id>",
}
CUT = 60
# Texts of the page, of its title and of its fields. Addresses in `code` and snippets of HTML have their own escapes.
TEXTS = """() => {
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest("code, .snippet")) found.push(walker.currentNode.data);
    for (const each of document.querySelectorAll("input:not([type=hidden]), textarea:not(.snippet)"))
        found.push(each.value);
    return found.join("\\n\\n");
}"""
MADE = "() => [...document.querySelectorAll('[data-evil], a[href^=javascript], [onerror]')].map(each => each.outerHTML)"


@pytest.fixture(scope="class")
def stored(staff: Staff) -> dict[str, str]:
    """Each hostile text of the database by its number. Match keys have other letters."""
    database = staff.place.database
    documents = [list(database[name].find({}, {"match_keys": 0})) for name in database.list_collection_names()]
    return {number: plain(text) for number, text in texts_in(documents)}


class TestEachPage:
    fill = staticmethod(data.hostile_texts)

    @pytest.mark.parametrize("rule", [rule for rule in PAGES if rule not in WITHOUT_STORED_TEXTS])
    def test_shows_them_as_texts_and_runs_nothing(self, staff: Staff, stored: dict[str, str], rule: str) -> None:
        dialogs: list[str] = []
        staff.visit.messages.clear()
        staff.visit.foreign_requests.clear()
        staff.page.once("dialog", lambda dialog: _close(dialog, dialogs))

        page = staff.show(rule)

        shown = {number: plain(text) for number, text in MARKED.findall(page.evaluate(TEXTS))}
        cut = CUT if rule in WITH_CUT_TEXTS else None
        assert {number: stored[number][:cut] for number in shown} == {
            number: each[:cut] for number, each in shown.items()
        }
        assert set(shown) - set(stored_name(staff))
        assert page.evaluate(MADE) == []
        assert dialogs == []
        assert staff.complaints() == []
        assert staff.visit.foreign_requests == []
        assert checks.widths(page) == [320, 320]


def plain(text: str) -> str:
    """The text without spaces and control characters, which HTML changes: it has no CR, for example."""
    return "".join(each for each in text if each.isprintable() and not each.isspace())


def stored_name(staff: Staff) -> list[str]:
    """The number of the hostile name of the member, which each page shows."""
    member: Any = staff.place.database.staff.find_one({"_id": staff.place.member["_id"]})
    return MARKED.findall(member["name"])[0][:1]


def _close(dialog: Dialog, dialogs: list[str]) -> None:
    dialogs.append(dialog.message)
    dialog.dismiss()
