"""Every state of a public campaign page, with content that has no ASCII letter: each such letter is then the server's.

Tests of languages read the HTML of all states; another state is added here once.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from blueprints.http.context import EXTENSION
from osdi.access.tokens import ANONYMOUS
from osdi.campaign_pages.acting.outreach_token import outreach_token
from osdi.campaign_pages.postal_codes.postal_codes_store import replace_table
from osdi.campaign_pages.postal_codes.table import read_table
from osdi.consent.confirmation import confirmation_link, confirmation_signer
from osdi.followups.unsubscribe import unsubscribe
from osdi.ids import now
from osdi.outreaches.consent_receipt import GivenConsent
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.record_outreach import record_outreach
from osdi.settings import Settings
from osdi.store import Store
from tests.fixtures.campaign_pages import CampaignPage, soup, typed_into

Publish = Callable[..., CampaignPage]
TITLE, ORGANISATION = "Спасём реку", "Друзья реки"
JANE = "jane@example.com"
# Texts that no language changes: addresses, names of services, and the example of an address in a sentence.
DATA = (
    *(TITLE, ORGANISATION, JANE, "ada@example.org", "mastodon.social", "name@example.org"),
    *("Gmail", "Outlook", "WhatsApp", "Facebook", "Bluesky", "Mastodon", "X", "river.example.org"),
)
TYPED = {"person.given_name": "Жанна", "person.family_name": "Доу", "person.email_address": JANE}
ADA = {
    "title": "Док.",
    "given_name": "Ада",
    "family_name": "Лавлейс",
    "organization": "Парламент",
    "email_addresses": [{"address": "ada@example.org"}],
    "phone_numbers": [{"number": "+49 30 22732152"}],
    "postal_addresses": [{"address_lines": ["1"], "locality": "Берлин", "postal_code": "11011"}],
}
BEN = {"given_name": "Бен"}
TARGETS = [ADA, BEN, *({"family_name": f"Ли{number}"} for number in range(6))]
OF_PERSON = "{{ person.given_name }} {{ person.family_name }} {{ person.postal_addresses[0].locality }}"
EVERY_FIELD = {
    "fields": [
        {"name": name, "required": name in ("email_address", "postal_code")}
        for name in (
            *("given_name", "family_name", "email_address", "phone_number"),
            *("street_address", "postal_code", "locality", "country"),
        )
    ]
}
ALL_MISTAKES = {
    "person.given_name": "",
    "person.email_address": "x",
    "message": "1" * 10_001,
}


def page_states(
    publish: Publish, app: Flask, closed_app: Flask, limited_app: Flask, **page: Any
) -> Iterator[tuple[str, TestResponse]]:
    """Yields the name and the response of each state; `page` are page settings of every campaign.

    `closed_app` takes no posts without a token, and `limited_app` one a minute.
    """
    slugs = iter(range(1_000))

    def made(settings: dict[str, Any] | None = None, *, app: Flask = app, **fields: Any) -> CampaignPage:
        chosen = {"slug": f"{next(slugs)}", **page, **(settings or {})}
        whole = {"title": TITLE, "target_list": TARGETS, **fields}
        return publish(chosen, app=app, **{name: value for name, value in whole.items() if value is not None})

    yield from _forms(made, app, closed_app, limited_app)
    yield from _steps(made)
    yield from _postal_codes(made, app)
    yield from _after(made, app)


def _forms(made: Publish, app: Flask, closed_app: Flask, limited_app: Flask) -> Iterator[tuple[str, TestResponse]]:
    consent = {"text": "Да", "confirm_by_mail": True}
    whole = made(
        {
            **EVERY_FIELD,
            "consent": consent,
            "show_count_from": 0,
            "goal": 1_000,
            "privacy_url": "https://river.example.org/",
        }
    )
    yield "page", whole.get()
    yield "embed", whole.get("/embed")
    yield "mistakes", whole.record(ALL_MISTAKES)
    choose = made({"targets": {"selection": "choose"}}, templates=["Один " * 40, "Два"])
    yield "choice of targets and texts", choose.get()
    yield "nobody chosen", choose.record(TYPED)
    yield "prompts", made({"message": {"rule": "prompts", "prompts": ["Почему?"]}}, templates=["Зачин"]).get()
    yield (
        "fixed text",
        made({"message": {"rule": "fixed"}}, templates=["Привет {{ person.given_name }} {{ targets[0].title }}"]).get(),
    )
    yield (
        "own text",
        made(
            templates=["{{ person.given_name }} {{ person.family_name }} {{ person.postal_addresses[0].locality }}"]
        ).get(),
    )
    yield "targets in words", made(target_list=None, targets="Парламент").get()
    yield "closed", made({"closes_at": now() - dt.timedelta(days=1)}).get()
    yield "takes no entries", made(app=closed_app).get()
    yield "agreed to mail", whole.record({**TYPED, "person.postal_code": "10115", "consent": "yes"})
    yield "doubtful form", whole.record({**TYPED, "person.postal_code": "10115", "further_comment": "1"})
    limited = made(app=limited_app)
    values = limited.filled({**TYPED, "message": "Прошу"})
    limited.post(values)
    yield "too many entries", limited.post(values)
    again = made()
    values = again.filled({**TYPED, "message": "Раз"})
    again.post(values)
    yield "taken part already", again.post({**values, "message": "Два"})
    yield "unknown page", app.test_client().get("/act/nothing-here")
    yield "too long", whole.post({**whole.filled(TYPED), "message": "й" * 40_000})
    yield "wrong method", app.test_client().put(whole.path, headers={"Accept": "text/html"})
    yield "list", app.test_client().get("/act")


def _steps(made: Publish) -> Iterator[tuple[str, TestResponse]]:
    for kind in ("email", "phone", "postal mail", "in-person", "other"):
        yield f"step of {kind}", made(type=kind, templates=["Текст"]).record(TYPED)
        yield f"step of {kind} without targets", made(type=kind, target_list=None).record(TYPED)
    yield "long e-mail", made(type="email").record({**TYPED, "message": "й" * 2_000})
    many = [{"given_name": str(number), "email_addresses": [{"address": "ada@example.org"}]} for number in range(40)]
    yield "e-mail to many", made(type="email", target_list=many).record(TYPED)


def _postal_codes(made: Publish, app: Flask) -> Iterator[tuple[str, TestResponse]]:
    store: Store = app.extensions[EXTENSION].store
    page = made({"targets": {"selection": "postal_code"}, "fields": EVERY_FIELD["fields"]}, type="phone")
    table = read_table("postal_code,target\n10,Ада Лавлейс\n10,Бен\n", TARGETS)
    assert not table.problems
    replace_table(store, page.campaign["_id"], table)
    yield "postal code", page.get()
    yield "no postal code", page.record(TYPED)
    yield "choice by postal code", page.record({**TYPED, "person.postal_code": "10115"})
    yield "unknown postal code", page.record({**TYPED, "person.postal_code": "99999"})


def _after(made: Publish, app: Flask) -> Iterator[tuple[str, TestResponse]]:
    store: Store = app.extensions[EXTENSION].store
    page = made({"thank_you": {"redirect_url": "https://river.example.org/"}}, type="phone")
    step = page.record(TYPED)
    values = typed_into(soup(step))
    yield "no outcome", page.post(values, "/outcome")
    stated = {**values, "outcome.0": "reached", "outcome.1": "voicemail"}
    yield "wrong minutes", page.post({**stated, "minutes.0": "й"}, "/outcome")
    page.post(stated, "/outcome")
    yield "stated before", page.post({**stated, "outcome.0": "no_answer"}, "/outcome")
    yield "step over", page.post({"outreach_token": outreach_token(store, "0", "0", [])}, "/outcome")
    yield "thanks", page.get("/thanks")
    yield "share", page.get("/share")
    yield "share by server", page.get("/share?mastodon=mastodon.social")
    yield "share by a wrong server", page.get("/share?mastodon=-")


def confirmation_states(
    store: Store, app: Flask, settings: Settings, campaign_id: str, language: str
) -> Iterator[tuple[str, TestResponse]]:
    """Yields the name and the response of each state of the page of a confirmation mail's link."""
    client = app.test_client()
    campaign = store.get("advocacy_campaigns", campaign_id) or {}
    signs = confirmation_signer(store)

    def link(address: str) -> str:
        consent = GivenConsent("Да", language, "https://osdi.example.org/act/river", by_mail=True)
        body = {"person": {"email_addresses": [{"address": address}]}}
        request = HelperRequest(body=body, campaign=campaign, caller=ANONYMOUS, consent=consent)
        recorded = record_outreach(store, app.extensions[EXTENSION].reference.find, request, settings)
        return confirmation_link(signs, "", recorded.outreach["_id"], address)

    path = link(JANE)
    yield "asked", client.get(path)
    yield "confirmed", client.post(path)
    unsubscribe(store, JANE)
    yield "withdrawn", client.get(path)
    yield "gone", client.get(confirmation_link(signs, "", "0", JANE))
    yield "invalid", client.get("/act/confirm/x")
