"""Each form of the staff pages with a mistake: the page keeps what was typed, and leads to the field by keyboard."""

from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.staff.screens import checks, data
from tests.staff.screens.conftest import Staff
from tests.staff.screens.pages import FORMS
from tests.support.barriers import barriers
from tests.support.slow import slow_except

pytestmark = pytest.mark.browser

CAMPAIGN, PERSON = "/staff/campaigns/<advocacy_campaign_id>", "/staff/people/<person_id>"
SETTINGS = "/staff/settings"


class Mistake(NamedTuple):
    """A mistake in a form: what is typed into a field, the button, and the page if it is not that of the route."""

    field: str
    typed: str
    button: str
    page: str = ""


MISTAKES = {
    "/staff/sign-in": Mistake("E-mail address", "ada", "Send me a mail"),
    "/staff/sign-in/code": Mistake("Code", "ABCD-EFGH", "Sign in"),
    "/staff/campaigns/new": Mistake("Title", "", "Create the campaign"),
    f"{CAMPAIGN}/edit": Mistake("Colour", "green", "Save"),
    f"{CAMPAIGN}/postal-codes": Mistake("Or the text of the table", "code", "Check the table"),
    "/staff/people/add": Mistake("Tag", "", "Add"),
    "/staff/people/remove": Mistake("Tag", "", "Remove"),
    "/staff/people/new": Mistake("E-mail address", "jane", "Store the person"),
    f"{PERSON}/no-calls": Mistake("+12025550123", "", "Record"),
    f"{PERSON}/answers/new": Mistake("Why do you write?", "", "Store the answer"),
    f"{PERSON}/answers/<answer_id>": Mistake("Why do you write?", "   ", "Store the answer"),
    f"{PERSON}/edit": Mistake("E-mail address 1", "jane", "Store the changes"),
    f"{PERSON}/erase": Mistake("Type the name of the person", "Nobody", "Erase for good"),
    "/staff/imports": Mistake("File", "", "Upload the file"),
    "/staff/imports/<import_id>/columns": Mistake("Date of rows that have none", "tomorrow or so", "Check the file"),
    "/staff/messages/new": Mistake("Text", "Dear {{ person", "Save"),
    "/staff/messages/<message_id>": Mistake("Text", "Dear {{ person", "Save"),
    "/staff/messages/test": Mistake("Text", "{{", "Send a test mail to ada@example.org", "/staff/messages/new"),
    f"{SETTINGS}/staff/new": Mistake("E-mail address", "eve@example.org", "Add the member"),
    f"{SETTINGS}/tokens/new": Mistake("Name", "crm", "Create the token"),
    f"{SETTINGS}/tokens/<token_id>/rotate": Mistake("Hours", "99999999", "Make a new secret"),
    f"{SETTINGS}/webhooks/new": Mistake("Address", "ftp://crm.example.org", "Create the webhook"),
}
# These forms have a button and no field that can be wrong.
BUTTONS = {
    f"{CAMPAIGN}/publish",
    f"{CAMPAIGN}/unpublish",
    f"{PERSON}/unsubscribe",
    f"{PERSON}/<kind>/<entry_id>/remove",
    f"{PERSON}/merge/<other_id>",
    f"{PERSON}/merge/<other_id>/take-back",
    f"{PERSON}/merge/<other_id>/not-the-same",
    f"{PERSON}/download",
    "/staff/people/csv",
    f"{CAMPAIGN}/preview",
    f"{CAMPAIGN}/copy",
    f"{CAMPAIGN}/postal-codes/delete",
    f"{CAMPAIGN}/embedding",
    f"{CAMPAIGN}/embedding/forget",
    f"{CAMPAIGN}/embedding/remove",
    "/staff/exports",
    *(f"/staff/imports/<import_id>/{act}" for act in ("start", "cancel", "delete")),
    "/staff/messages/preview",
    "/staff/followups/retry",
    "/staff/link/<string:secret>",
    "/staff/sign-out",
    "/staff/devices/<session_id>/sign-out",
    "/staff/devices/sign-out",
    *(f"{SETTINGS}/staff/<member_id>/{act}" for act in ("link", "disable", "enable", "sign-out")),
    f"{SETTINGS}/tokens/<token_id>/revoke",
    *(f"{SETTINGS}/webhooks/<webhook_id>/{act}" for act in ("test", "enable", "disable", "secret", "delete")),
}

# Forms of each kind: of one field and of many, with a checkbox, a file, a long text, and about a stored document.
OF_EACH_KIND = {
    "/staff/sign-in",
    f"{CAMPAIGN}/edit",
    f"{CAMPAIGN}/postal-codes",
    f"{PERSON}/no-calls",
    f"{PERSON}/edit",
    f"{PERSON}/answers/new",
    "/staff/imports",
    "/staff/messages/new",
    f"{SETTINGS}/tokens/new",
}


def test_the_table_has_each_form_with_a_field() -> None:
    assert set(MISTAKES) | BUTTONS == set(FORMS)


class TestAMistake:
    fill = staticmethod(data.sample)

    @pytest.mark.parametrize("rule", slow_except(MISTAKES, OF_EACH_KIND))
    def test_is_explained_at_its_field_and_loses_no_text(self, staff: Staff, rule: str) -> None:
        mistake = MISTAKES[rule]
        staff.page.set_viewport_size(checks.DESKTOP)  # type: ignore[arg-type]
        page = staff.show(mistake.page or rule)
        _type(page, mistake)

        page.get_by_role("button", name=mistake.button, exact=True).click()

        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        for link in page.get_by_role("alert").get_by_role("link").all():
            link.click()
            assert page.evaluate("document.activeElement.matches('input, select, textarea, fieldset')")
        if page.get_by_label(mistake.field).first.evaluate("each => !each.matches('select, [type=checkbox]')"):
            expect(page.get_by_label(mistake.field).first).to_have_value(mistake.typed)
        assert not barriers(page, within="main")
        assert checks.widths(page) == [320, 320]


def _type(page: Page, mistake: Mistake) -> None:
    if mistake.typed:
        page.get_by_label(mistake.field).first.fill(mistake.typed)
