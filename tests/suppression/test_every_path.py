"""An opt-out that is sent by any path and in any spelling stops mail, texts and calls, also after a deletion."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.followups.unsubscribe import link, mark_bouncing, signer
from osdi.store import Store
from tests.support.client import Client
from tests.suppression.conftest import KINDS, Sent

MAIL, TEXTS, CALLS = KINDS
EMAIL_WORDS = (
    *("unsubscribed", "Unsubscribed", " UNSUBSCRIBED ", "opted out", "Opt-Out", "opted_out", "inactive", "cancelled"),
    *("bouncing", "Bounced", "bounce", "previous bounce", "hard bounce", "cleaned", "invalid"),
    *("spam complaints", "spam complaint", "Previous Spam Complaint", "previous_spam_complaint", "complained", "spam"),
)
PHONE_WORDS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    *(({"status": word}, {TEXTS, CALLS}) for word in ("unsubscribed", "Unsubscribed", "opted out", "spam complaint")),
    *(({"status": word}, {TEXTS}) for word in ("bouncing", "previous bounce")),
    ({"status": "unsubscribed", "sms_capable": True, "do_not_call": False}, {TEXTS, CALLS}),
    *(({"do_not_call": value}, {CALLS}) for value in (True, 1, "1", "true", "True", "yes", "on")),
    *(({"sms_capable": value}, {TEXTS}) for value in (False, 0, "0", "false", "False", "no", "off")),
    ({"do_not_call": True, "sms_capable": False}, {TEXTS, CALLS}),
)

numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """Somebody with an address and a number, what they say about them, and what they must not get."""

    address: str
    number: str
    email: dict[str, Any]
    phone: dict[str, Any]
    refused: frozenset[str]

    @property
    def person(self) -> dict[str, Any]:
        return {
            "identifiers": [f"crm:{self.number}"],
            "email_addresses": [{"address": self.address, **self.email}],
            "phone_numbers": [{"number": self.number, **self.phone}],
        }

    @property
    def silent(self) -> dict[str, Any]:
        """The same person without opt-outs."""
        return Case(self.address, self.number, {}, {}, frozenset()).person

    @property
    def unwanted(self) -> set[tuple[str, str]]:
        return {(kind, self.address if kind == MAIL else self.number) for kind in self.refused}


def case(email: dict[str, Any], phone: dict[str, Any], refused: set[str]) -> Case:
    number = next(numbers)
    return Case(f"jane{number}@example.com", f"+1202{number:07}", email, phone, frozenset(refused))


def cases() -> list[Case]:
    """Returns people who say every spelling, each about their address, about their number, or about both."""
    both = itertools.zip_longest(EMAIL_WORDS, PHONE_WORDS)
    return [
        case(
            {"status": word} if word else {},
            phone[0] if phone else {},
            {*([MAIL] if word else []), *(phone or [0, ()])[1]},
        )
        for word, phone in both
    ]


Path_ = Callable[[list[Case]], None]


class Paths:
    """The ways to say an opt-out with authority, each as a function of the cases."""

    def __init__(self, app: Flask, api: Client, folder: Path, remote: tuple[str, list[dict[str, Any]]]) -> None:
        self.app, self.api, self.folder = app, api, folder
        self.url, self.people = remote

    def post(self, them: list[Case]) -> None:
        for each in them:
            self.api.created("/people", each.person)

    def post_with_wrapper(self, them: list[Case]) -> None:
        for each in them:
            self.api.created("/people", {"person": each.person})

    def post_to_known_people(self, them: list[Case]) -> None:
        for each in them:
            self.api.created("/people", each.silent)
        self.post(them)

    def signup_helper(self, them: list[Case]) -> None:
        for each in them:
            self.api.created("/people/person_signup_helper", {"person": each.person})

    def outreach_helper(self, them: list[Case]) -> None:
        for each in them:
            self.api.recorded({"person": each.person, "type": "phone"})

    def put(self, them: list[Case]) -> None:
        for each in them:
            href = self.api.created("/people", each.silent)["_links"]["self"]["href"]
            body = {name: each.person[name] for name in ("email_addresses", "phone_numbers")}
            response = self.api.put(href, body)
            assert response.status_code == 200, response.text

    def put_without_address(self, them: list[Case]) -> None:
        for each in them:
            href = self.api.created("/people", each.silent)["_links"]["self"]["href"]
            contact_entries = {"email_addresses": [each.email], "phone_numbers": [each.phone]}
            response = self.api.put(href, {name: entries for name, entries in contact_entries.items() if entries[0]})
            assert response.status_code == 200, response.text

    def post_without_address(self, them: list[Case]) -> None:
        for each in them:
            self.api.created("/people", each.silent)
            contact_entries = {"email_addresses": [each.email], "phone_numbers": [each.phone]}
            person = {name: entries for name, entries in contact_entries.items() if entries[0]}
            self.api.created("/people", {"identifiers": each.person["identifiers"], **person})

    def ndjson(self, them: list[Case]) -> None:
        file = self.folder / "people.ndjson"
        file.write_text("".join(json.dumps(each.person) + "\n" for each in them))
        result = self.app.test_cli_runner().invoke(args=["import", "people", str(file)])
        assert result.exit_code == 0, result.output
        assert "Rejected:" not in result.output, result.output

    def pull(self, them: list[Case]) -> None:
        self.people[:] = [each.person for each in them]
        result = self.app.test_cli_runner().invoke(args=["import", "osdi", self.url])
        assert result.exit_code == 0, result.output
        assert "Rejected:" not in result.output, result.output


PATHS = tuple(name for name in vars(Paths) if not name.startswith("_"))


@pytest.fixture
def paths(
    app: Flask,
    api: Client,
    tmp_path: Path,
    remote: tuple[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> Paths:
    monkeypatch.chdir(tmp_path)
    return Paths(app, api, tmp_path, remote)


@pytest.mark.parametrize("path", PATHS)
def test_a_person_who_opted_out_is_not_contacted(
    path: str,
    paths: Paths,
    api: Client,
    database: Database,
    ask: Callable[..., None],
    work: Callable[..., None],
    sent: Sent,
) -> None:
    them, control = cases(), case({}, {}, set())
    getattr(paths, path)(them)
    ask(control.address, control.number, token=True)

    for each in them:
        ask(each.address, each.number, token=True)
    work(followup_interval_hours=0)
    after_the_opt_out = sent.all
    for person in list(database.people.find({}, {"_id": 1})):
        assert api.delete(f"/people/{person['_id']}").status_code == 200
    for token in (False, True):
        for each in them:
            ask(each.address, each.number, token=token)
    work(followup_interval_hours=0)

    unwanted = {pair: each for each in them for pair in each.unwanted}
    assert not {pair: unwanted[pair] for pair in unwanted.keys() & after_the_opt_out}
    assert not {pair: unwanted[pair] for pair in unwanted.keys() & sent.all}
    assert {(MAIL, control.address), (TEXTS, control.number), (CALLS, control.number)} <= sent.all


@pytest.mark.parametrize("known", [True, False], ids=["a stored person", "nobody"])
@pytest.mark.parametrize(("way", "source"), [("page", "link"), ("one click", "one_click"), ("bounce", "bounce")])
def test_a_link_or_bounce_stops_mail_to_an_address_of(
    known: bool,
    way: str,
    source: str,
    api: Client,
    store: Store,
    database: Database,
    ask: Callable[..., None],
    work: Callable[..., None],
    sent: Sent,
) -> None:
    them = case({}, {}, {MAIL})
    if known:
        api.created("/people", them.person)
    if way == "bounce":
        mark_bouncing(store, them.address)
    else:
        data = {"List-Unsubscribe": "One-Click"} if way == "one click" else {}
        assert api.http.post(link(signer(store), "", them.address), data=data).status_code == 200

    ask(them.address, them.number, token=True)
    ask(them.address.upper(), them.number, token=False)
    work(followup_interval_hours=0)

    assert not them.unwanted & sent.all
    assert (CALLS, them.number) in sent.all
    (entry,) = database.suppressions.find()
    assert entry["refused"]["mail"]["source"] == source
    assert them.address not in json.dumps(entry, default=str)
