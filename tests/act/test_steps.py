"""The steps after a recorded form: by type, the choice of a target, the outcome, the thank-you, and sharing."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from itsdangerous import URLSafeTimedSerializer
from pymongo.database import Database
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from osdi.campaign_pages.acting import outreach_token
from osdi.campaign_pages.postal_codes.postal_codes_store import replace_table
from osdi.campaign_pages.postal_codes.table import read_table
from osdi.store import Store
from tests.fixtures.campaign_pages import JANE, CampaignPage, soup, typed_into

Publish = Callable[..., CampaignPage]

ADA = {
    "title": "Senator",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "ocdid": "a",
    "email_addresses": [{"address": "ada@senate.example.org"}],
    "phone_numbers": [{"number": "+1 202-224-3121"}],
    "postal_addresses": [{"address_lines": ["Platz 1"], "postal_code": "11011", "locality": "Berlin"}],
}
BEN = {"given_name": "Ben", "family_name": "Ohm", "ocdid": "b", "email_addresses": [{"address": "ben@example.org"}]}
OFFICE = {"organization": "Water Office", "ocdid": "c"}
TARGETS = [ADA, BEN, OFFICE]
LETTER = "Dear {{ targets[0].family_name }},\n\nyours, {{ person.given_name }}"


def hrefs(page: BeautifulSoup) -> list[str]:
    return [str(each["href"]) for each in page.find_all("a")]


def outreach(database: Database) -> dict[str, Any]:
    (found,) = database.outreaches.find()
    return dict(found)


def complete(page: CampaignPage, step: TestResponse | BeautifulSoup, **typed: str) -> TestResponse:
    """Posts the form of a step with these values; `__` in a name stands for a full stop."""
    found = step if isinstance(step, BeautifulSoup) else soup(step)
    values = typed_into(found, {name.replace("__", "."): value for name, value in typed.items()})
    return page.post(values, "/outcome")


def two_districts(publish: Publish, store: Store, *others: str, **fields: Any) -> CampaignPage:
    page = publish(
        {"targets": {"selection": "postal_code"}}, type="email", target_list=TARGETS, templates=[LETTER], **fields
    )
    lines = ["postal_code,target", "20009,a", "20009,b", *others]
    replace_table(store, page.campaign["_id"], read_table("\n".join(lines), TARGETS))
    return page


def test_an_e_mail_opens_in_three_programs_and_can_be_copied(publish: Publish) -> None:
    step = soup(publish(type="email", target_list=[ADA], templates=[LETTER], title="River").record())
    assert step.h1.get_text() == "Recorded. Now send your e-mail."
    links = {urlsplit(each).netloc or urlsplit(each).scheme: each for each in hrefs(step)}
    body = "body=Dear%20Lovelace%2C%0D%0A%0D%0Ayours%2C%20Jane"
    assert links["mailto"] == f"mailto:ada@senate.example.org?subject=River&{body}"
    assert body in links["mail.google.com"]
    assert body in links["outlook.live.com"]
    for each in step.find_all("a", class_="button"):
        assert each["href"].startswith("/act/") or (each["target"], each["rel"]) == ("_blank", ["noopener"])
    assert step.find("input", id="act-addresses")["value"] == "ada@senate.example.org"
    assert step.find("input", id="act-subject")["value"] == "River"
    assert step.find("textarea", id="act-text").get_text().strip() == "Dear Lovelace,\n\nyours, Jane"
    assert all(each.has_attr("readonly") for each in step.find_all(["input", "textarea"]))


def test_a_long_text_is_copied_instead_of_linked(publish: Publish) -> None:
    text = "Grüße " * 400
    step = soup(publish(type="email", target_list=[ADA], title="River").record({**JANE, "message": text}))
    assert "mailto:ada@senate.example.org?subject=River" in hrefs(step)
    assert "Your text is too long for these buttons." in step.get_text()
    assert step.find("textarea", id="act-text").get_text().strip() == text.strip()


def test_a_program_whose_link_would_be_too_long_has_no_button(publish: Publish) -> None:
    members = [{"given_name": str(n), "email_addresses": [{"address": f"{n}@{'x' * 25}.org"}]} for n in range(10, 60)]
    step = soup(publish(type="email", target_list=members, title="River").record())
    (all_at_once, *each_by_itself) = [each.find_all("a") for each in step.find_all("p", class_="actions")]
    assert [each.get_text() for each in all_at_once] == ["Open my mail program"]
    assert [len(each) for each in each_by_itself] == [3] * 50
    assert "None" not in hrefs(step)


def test_a_target_without_an_address_is_named(publish: Publish) -> None:
    step = soup(publish(type="email", target_list=[OFFICE], templates=["Text"], title="River").record())
    assert "We have no e-mail address of: Water Office" in step.get_text()
    assert "mailto:?subject=River&body=Text" in hrefs(step)


def test_hostile_details_of_a_target_become_no_link(publish: Publish) -> None:
    hostile = {
        "given_name": "Eve",
        "email_addresses": [{"address": "javascript:alert(1)"}],
        "phone_numbers": [{"number": "javascript:alert(1)"}],
    }
    for kind in ("email", "phone", "in-person", "postal mail"):
        page = publish({"slug": kind.replace(" ", "-")}, type=kind, target_list=[hostile], title="River?bcc=eve@x.org")
        links = hrefs(soup(page.record({**JANE, "person.email_address": f"{kind.replace(' ', '')}@example.com"})))
        assert not [each for each in links if each.startswith(("javascript", "tel"))]
        assert all(each.count("?") == 1 for each in links if each.startswith("mailto:"))


def test_a_call_is_dialled_and_its_outcome_recorded(publish: Publish, database: Database) -> None:
    page = publish(type="phone", target_list=[ADA])
    step = page.record()
    assert "tel:+1-202-224-3121" in hrefs(soup(step))
    response = complete(page, step, outcome__0="reached", minutes__0="4")
    assert (response.status_code, response.headers["Location"]) == (303, f"{page.path}/thanks")
    found = outreach(database)
    assert (found["notes"], found["duration"]) == ("Senator Ada Lovelace: reached, 4 min", 240)


def test_the_same_outcome_may_be_sent_again_and_another_one_changes_nothing(
    publish: Publish, database: Database
) -> None:
    page = publish(type="phone", target_list=[ADA])
    step = page.record()
    assert [complete(page, step, outcome__0="reached").status_code for _ in range(2)] == [303, 303]
    again = complete(page, step, outcome__0="voicemail")
    assert again.status_code == 409
    assert "your first answer counts" in soup(again).get_text()
    assert outreach(database)["notes"] == "Senator Ada Lovelace: reached"


def test_notes_of_staff_are_not_overwritten(publish: Publish, database: Database) -> None:
    page = publish(type="phone", target_list=[ADA])
    step = page.record()
    database.outreaches.update_one({}, {"$set": {"notes": "Called back."}})
    assert complete(page, step, outcome__0="reached").status_code == 409
    assert outreach(database)["notes"] == "Called back."


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "Please choose one of the answers."),
        ({"outcome__0": "done"}, "Please choose one of the answers."),
        ({"outcome__0": "reached", "minutes__0": "many"}, "Please give the minutes as a number up to 600."),
    ],
    ids=["no answer", "of another kind", "no number"],
)
def test_an_outcome_with_a_mistake_comes_back(
    publish: Publish, database: Database, typed: dict[str, str], words: str
) -> None:
    page = publish(type="phone", target_list=[ADA])
    response = complete(page, page.record(), **typed)
    assert response.status_code == 422
    again = soup(response)
    assert words in again.find(role="alert").get_text()
    assert again.find(id=again.find(role="alert").a["href"][1:])
    assert "notes" not in outreach(database)
    assert complete(page, again, outcome__0="reached", minutes__0="").status_code == 303


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("in-person", "Recorded. Now make your visit."),
        ("fax", "Recorded. Now it is your turn."),
    ],
)
def test_a_visit_and_any_other_type_are_done(publish: Publish, database: Database, kind: str, heading: str) -> None:
    page = publish(type=kind, target_list=[ADA])
    step = page.record()
    assert soup(step).h1.get_text() == heading
    assert complete(page, step, outcome__0="done").status_code == 303
    assert outreach(database)["notes"] == "Senator Ada Lovelace: done"


def test_a_letter_is_printed_with_the_typed_sender(publish: Publish) -> None:
    page = publish(type="postal mail", target_list=[ADA, BEN], templates=[LETTER])
    letters = soup(page.record()).find_all("article", class_="letter")
    assert [each.find(class_="from").get_text("|") for each in letters] == ["Jane Doe|20009"] * 2
    assert "Platz 1|11011 Berlin" in letters[0].find_all("address")[1].get_text("|")
    assert letters[0].find(class_="body").get_text().startswith("Dear Lovelace,")
    assert letters[1].find(class_="body").get_text().startswith("Dear Ohm,")


def test_a_step_shows_nothing_that_is_stored_of_a_known_person(publish: Publish, database: Database) -> None:
    page = publish(type="postal mail", target_list=[ADA], templates=["{{ person.family_name | default('?') }}"])
    page.record()
    step = page.record({"person.email_address": "jane@example.com"})
    assert step.status_code == 200
    assert "Doe" not in step.text
    assert "20009" not in step.text
    assert database.people.count_documents({}) == 1


def test_a_choice_between_two_districts_completes_the_recorded_outreach(
    publish: Publish, store: Store, database: Database
) -> None:
    page = two_districts(publish, store)
    step = page.record()
    assert soup(step).h1.get_text() == "Recorded. Who represents you?"
    assert "targets" not in outreach(database)
    response = complete(page, step, target="1")
    assert soup(response).h1.get_text() == "Recorded. Now send your e-mail."
    found = outreach(database)
    assert found["targets"] == [BEN]
    assert found["message"] == "Dear Ohm,\n\nyours, Jane"
    assert hrefs(soup(response))[0].startswith("mailto:ben@example.org?")


def test_a_form_that_is_sent_again_after_the_choice_leads_to_the_chosen_target(
    publish: Publish, store: Store, database: Database
) -> None:
    page = two_districts(publish, store)
    values = page.filled()
    complete(page, page.post(values), target="1")
    again = page.post(values)
    assert soup(again).h1.get_text() == "Recorded. Now send your e-mail."
    assert database.outreaches.count_documents({}) == 1


def test_the_first_choice_stays(publish: Publish, store: Store, database: Database) -> None:
    page = two_districts(publish, store)
    step = page.record()
    complete(page, step, target="1")
    response = complete(page, step, target="0")
    assert hrefs(soup(response))[0].startswith("mailto:ben@example.org?")
    assert outreach(database)["targets"] == [BEN]


@pytest.mark.parametrize(
    ("others", "targets", "words"),
    [
        ((), [], "Nobody is listed for your postal code."),
        (("*,c",), [OFFICE], "We have no e-mail address of: Water Office"),
    ],
)
def test_none_of_these_leads_to_the_target_for_every_other_code(
    publish: Publish,
    store: Store,
    database: Database,
    others: tuple[str, ...],
    targets: list[dict[str, Any]],
    words: str,
) -> None:
    page = two_districts(publish, store, *others)
    response = complete(page, page.record(), target="none")
    assert response.status_code == 200
    assert words in soup(response).get_text()
    assert outreach(database).get("targets", []) == targets


@pytest.mark.parametrize("sent", ["", "2", "9", "-1", "<script>", "a"])
def test_a_choice_outside_the_districts_asks_again(
    publish: Publish, store: Store, database: Database, sent: str
) -> None:
    page = two_districts(publish, store)
    response = complete(page, page.record(), target=sent)
    assert response.status_code == 422
    assert "Please choose one of the answers." in soup(response).find(role="alert").get_text()
    assert "targets" not in outreach(database)


def test_the_details_survive_the_choice(publish: Publish, store: Store) -> None:
    page = two_districts(publish, store)
    step = page.record()
    kept = typed_into(soup(step))
    assert {name: kept[name] for name in JANE} == JANE


def tokens(store: Store, page: CampaignPage, step: BeautifulSoup) -> dict[str, str]:
    valid = str(step.find("input", {"name": "outreach_token"})["value"])
    foreign = URLSafeTimedSerializer("another key", salt="outreach").dumps(["id", page.campaign["_id"]])
    return {
        "none": "",
        "of another campaign": outreach_token.outreach_token(store, "id", "another campaign"),
        "of another key": str(foreign),
        "changed": valid[:-2] + ("AA" if valid[-2:] != "AA" else "BB"),
        "too long": "x" * 30_000,
        "no text of ours": "\x00'\"<>",
    }


@pytest.mark.parametrize(
    "name", ["none", "of another campaign", "of another key", "changed", "too long", "no text of ours"]
)
def test_an_outreach_is_completed_with_its_token_only(
    publish: Publish, store: Store, database: Database, name: str
) -> None:
    page = publish(type="phone", target_list=[ADA])
    token = tokens(store, page, soup(page.record()))[name]
    for values in ({"outcome.0": "reached"}, {"target": "0"}):
        response = page.post(MultiDict({**values, "outreach_token": token}), "/outcome")
        assert response.status_code == 410
        assert "This step is over" in soup(response).get_text()
    assert "notes" not in outreach(database)


def test_a_token_is_valid_for_a_day(publish: Publish, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    page = publish(type="phone", target_list=[ADA])
    step = page.record()
    monkeypatch.setattr(outreach_token, "VALID_SECONDS", -1)
    assert complete(page, step, outcome__0="reached").status_code == 410
    assert "notes" not in outreach(database)


def test_an_outreach_that_is_gone_is_not_found(publish: Publish, database: Database) -> None:
    page = publish(type="phone", target_list=[ADA])
    step = page.record()
    database.outreaches.delete_many({})
    assert complete(page, step, outcome__0="reached").status_code == 404


@pytest.mark.parametrize("framed", [False, True])
def test_the_steps_in_a_frame_stay_in_the_frame(publish: Publish, framed: bool) -> None:
    page = publish(type="phone", target_list=[ADA])
    step = page.record(suffix="/embed" if framed else "")
    response = complete(page, step, outcome__0="reached")
    assert response.headers["Location"] == f"{page.path}/thanks" + ("?embedded=yes" if framed else "")
    thanks = page.http.get(response.headers["Location"])
    assert ("frame-ancestors 'none'" in thanks.headers["Content-Security-Policy"]) is not framed


def test_the_thank_you_has_the_words_of_the_organisation_and_nothing_personal(publish: Publish) -> None:
    page = publish({"thank_you": {"text": "You did it!\n<b>Next</b>: tell others."}})
    response = page.get("/thanks")
    assert response.status_code == 200
    assert [each.get_text() for each in soup(response).section.find_all("p", recursive=False)] == [
        "You did it!",
        "<b>Next</b>: tell others.",
    ]
    assert "Refresh" not in response.headers


@pytest.mark.parametrize("address", ["https://river.example.org/thanks", "http://localhost:8000/thanks"])
@pytest.mark.parametrize(("suffix", "refresh"), [("/thanks", "5; url={}"), ("/thanks?embedded=yes", None)])
def test_the_thank_you_leads_on_to_the_page_of_the_organisation(
    publish: Publish, suffix: str, refresh: str | None, address: str
) -> None:
    page = publish({"thank_you": {"redirect_url": address}})
    response = page.get(suffix)
    assert response.headers.get("Refresh") == (refresh and refresh.format(address))
    link = soup(response).find("a", href=address)
    assert (link["target"], link["rel"]) == ("_top", ["noopener"])


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://plain.example", "//evil.example", "https://a b/"])
def test_the_thank_you_leads_to_no_other_address(publish: Publish, address: str) -> None:
    page = publish({"thank_you": {"redirect_url": address}})
    response = page.get("/thanks")
    assert "Refresh" not in response.headers
    assert address not in hrefs(soup(response))


@pytest.mark.parametrize("suffix", ["", "/thanks"])
def test_a_campaign_is_shared_by_plain_links(publish: Publish, suffix: str) -> None:
    links = hrefs(publish(title="River").soup(suffix).find("section", class_="share"))
    assert [urlsplit(each).netloc or urlsplit(each).scheme or each for each in links] == [
        "mailto",
        "wa.me",
        "www.facebook.com",
        "x.com",
        "bsky.app",
        "/act/protect-the-river/share",
    ]


def test_a_page_may_show_no_sharing(publish: Publish) -> None:
    page = publish({"share": False})
    assert page.soup("/thanks").find("section", class_="share") is None
    assert page.get("/share").status_code == 404


def test_a_supporter_names_a_mastodon_server(publish: Publish) -> None:
    page = publish(title="River")
    found = page.soup("/share?mastodon=@jane@mastodon.example")
    (link,) = [each for each in hrefs(found) if each.startswith("https://")]
    assert link.startswith("https://mastodon.example/share?text=River%20")
    assert "jane" not in link


@pytest.mark.parametrize("server", ["javascript:alert(1)", "evil", "<script>alert(1)</script>"])
def test_a_text_that_names_no_server_is_asked_again(publish: Publish, server: str) -> None:
    page = publish()
    response = page.get("/share", query_string={"mastodon": server})
    assert response.status_code == 422
    assert not [each for each in hrefs(soup(response)) if not each.startswith("/act/")]
    assert soup(response).find("input", id="act-server")["value"] == server


def test_texts_of_the_campaign_are_shown_in_turn(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    options = [{"twitter_share": {"message": text}} for text in ("One", "Two")]
    page = publish(share_options=options)
    seen = []
    for second in (100.0, 101.0, 102.0):
        monkeypatch.setattr("blueprints.act.rendering.timestamp", lambda second=second: second)
        seen.append([word for word in ("One", "Two") if f"post?text={word}" in page.get("/thanks").text])
    assert seen == [["One"], ["Two"], ["One"]]


@pytest.mark.parametrize("suffix", ["/thanks", "/share", "/outcome"])
def test_a_page_that_is_not_published_has_no_steps(publish: Publish, suffix: str) -> None:
    page = publish({"published": False})
    response = page.post({}, suffix) if suffix == "/outcome" else page.get(suffix)
    assert response.status_code == 404
