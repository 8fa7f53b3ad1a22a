"""An opt-out that is sent by any path and in any spelling stops mail, texts and calls, also after a deletion."""

import csv
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.followups.unsubscribe import link, mark_bouncing, signer
from osdi.people.merge import merge_stored_people
from osdi.store import Store
from osdi.suppression import opt_outs
from tests.support.client import Client
from tests.support.databases import long_history
from tests.support.factories import RULES
from tests.suppression.conftest import KINDS, Sent, opted_out

MAIL, TEXTS, CALLS = KINDS
# The names of kinds in the suppression list.
LISTED = {MAIL: opt_outs.MAIL, TEXTS: opt_outs.TEXTS, CALLS: opt_outs.CALLS}
EMAIL_WORDS = (
    *("unsubscribed", "Unsubscribed", " UNSUBSCRIBED ", "opted out", "Opt-Out", "opted_out", "inactive", "cancelled"),
    *("bouncing", "Bounced", "bounce", "previous bounce", "hard bounce", "cleaned", "invalid"),
    *("spam complaints", "spam complaint", "Previous Spam Complaint", "previous_spam_complaint", "complained", "spam"),
    *("OptedOut", "NEVER_SUBSCRIBED", "do not contact", "HardBounce", "abuse complaint"),
)
PHONE_WORDS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    *(({"status": word}, {TEXTS, CALLS}) for word in ("unsubscribed", "Unsubscribed", "opted out", "spam complaint")),
    *(({"status": word}, {TEXTS}) for word in ("bouncing", "previous bounce")),
    ({"status": "unsubscribed", "sms_capable": True, "do_not_call": False}, {TEXTS, CALLS}),
    *(({"do_not_call": value}, {CALLS}) for value in (True, 1, "1", "true", "True", "yes", "on")),
    *(({"sms_capable": value}, {TEXTS}) for value in (False, 0, "0", "false", "False", "no", "off")),
    ({"do_not_call": True, "sms_capable": False}, {TEXTS, CALLS}),
)

# Columns of files that opt out, and columns that permit, with words for yes and no as programs and people write them.
COLUMNS = {
    MAIL: (("Email Opt Out", True), ("email_opt_in", False), ("Do Not Email", True), ("UNSUB_TIME", True)),
    CALLS: (("Do Not Call", True), ("OK to call", False), ("donotphone", True), ("Nicht anrufen", True)),
    TEXTS: (("SMS Opt Out", True), ("mobile_opt_in", False), ("Do Not Sms", True), ("Pas de SMS", True)),
}
YES = ("Y", "yes", "1", "TRUE", "x", "WAHR", "ja", "1.0", "Opted Out", "2021-02-03 11:00:00")
NO = ("N", "no", "0", "FALSE", "FAUX", "nein", "0.0", "Opted Out", "unsubscribed")
# Flags of an entry in JSON, by what they opt out of.
FLAGS = {
    MAIL: ({"unsubscribed": True}, {"opted_out": "Y"}, {"do_not_email": 1}, {"subscribed": False}),
    CALLS: ({"doNotCall": True}, {"do_not_phone": "x"}, {"phone_opt_in": "no"}, {"do_not_contact": True}),
    TEXTS: ({"do_not_text": True}, {"sms_opt_out": "1"}, {"sms_opt_in": False}, {"do_not_contact": "yes"}),
}

numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """Somebody with an address and a number, what they say about them, and what they must not get."""

    address: str
    number: str
    email: dict[str, Any]
    phone: dict[str, Any]
    opted_out: frozenset[str]

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
        return {(kind, self.address if kind == MAIL else self.number) for kind in self.opted_out}


def case(email: dict[str, Any], phone: dict[str, Any], opted_out: set[str]) -> Case:
    number = next(numbers)
    return Case(f"jane{number}@example.com", f"+1202{number:07}", email, phone, frozenset(opted_out))


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

    def __init__(
        self, app: Flask, api: Client, store: Store, folder: Path, remote: tuple[str, list[dict[str, Any]]]
    ) -> None:
        self.app, self.api, self.store, self.folder = app, api, store, folder
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

    def flags_of_entries(self, them: list[Case]) -> None:
        for index, each in enumerate(them):
            person = each.silent
            for kind in each.opted_out:
                entry = person["email_addresses" if kind == MAIL else "phone_numbers"][0]
                entry |= FLAGS[kind][index % len(FLAGS[kind])]
            self.api.created("/people", person)

    def merge(self, them: list[Case]) -> None:
        """A duplicate says it, and is merged into the person."""
        for each in them:
            kept = self.api.created("/people", each.silent)
            email, phone = each.person["email_addresses"][0], each.person["phone_numbers"][0]
            said = {"email_addresses": [email], "phone_numbers": [phone]}
            gone = self.api.created("/people", {"identifiers": [f"van:{each.number}"], "given_name": "Kim"})
            assert self.api.put(gone["_links"]["self"]["href"], said).status_code == 200
            ids = (found["_links"]["self"]["href"].rpartition("/")[2] for found in (kept, gone))
            merge_stored_people(self.store, *ids, RULES)

    def restore_of_an_older_backup(self, them: list[Case]) -> None:
        for each in them:
            self.api.created("/people", each.silent)
        self._run("backup", "backup.osdi")
        self.post(them)
        self._run("restore", "backup.osdi", "--replace", typed="osdi\n")

    def restore_of_a_backup(self, them: list[Case]) -> None:
        self.post(them)
        self._run("backup", "backup.osdi")
        self._run("restore", "backup.osdi", "--replace", typed="osdi\n")

    def csv_columns_of_statuses(self, them: list[Case]) -> None:
        self._import("people", [self._cells(each) | self._statuses(each) for each in them])

    def csv_columns_of_flags(self, them: list[Case]) -> None:
        for columns, rows in self._by_columns(them).items():
            self._import("people", [self._cells(each) | cells for each, cells in rows], str(hash(columns)))

    def csv_second_row_of_a_person(self, them: list[Case]) -> None:
        rows = [{**self._cells(each), **dict.fromkeys(self._statuses(each), "")} for each in them]
        self._import("people", [*rows, *(self._cells(each) | self._statuses(each) for each in them)])

    def csv_first_row_of_a_person(self, them: list[Case]) -> None:
        rows = [{**self._cells(each), **dict.fromkeys(self._statuses(each), "")} for each in them]
        self._import("people", [*(self._cells(each) | self._statuses(each) for each in them), *rows])

    def csv_then_an_older_file(self, them: list[Case]) -> None:
        self.csv_columns_of_statuses(them)
        older = {"Email Status": "Subscribed", "Do Not Call": "No", "SMS Opt In": "Yes"}
        self._import("people", [self._cells(each) | older for each in them], "older")

    def csv_with_ids_only(self, them: list[Case]) -> None:
        for each in them:
            self.api.created("/people", each.silent)
        ids = [{"identifiers": f"crm:{each.number}", **self._statuses(each)} for each in them]
        self._import("people", ids)

    def csv_words_beside_the_details(self, them: list[Case]) -> None:
        rows = []
        for each in them:
            cells = self._cells(each)
            cells["Email"] += " (unsubscribed)" if MAIL in each.opted_out else ""
            cells["Phone"] += " - DO NOT CALL" if each.opted_out - {MAIL} else ""
            rows.append(cells)
        self._import("people", rows)

    def csv_of_outreaches(self, them: list[Case]) -> None:
        rows = [self._cells(each) | self._statuses(each) | {"Date": "2024-03-25"} for each in them]
        self._import("outreaches", [{**row, "person.identifiers": row.pop("identifiers")} for row in rows])

    def _cells(self, each: Case) -> dict[str, str]:
        return {"identifiers": f"crm:{each.number}", "Email": each.address, "Phone": each.number}

    def _statuses(self, each: Case) -> dict[str, str]:
        """Returns the columns that most files have; a phone's status is two flags there."""
        yes = YES[int(each.number[-2:]) % len(YES)]
        no = NO[int(each.number[-2:]) % len(NO)]
        return {
            "Email Status": each.email.get("status", ""),
            "Do Not Call": yes if CALLS in each.opted_out else "",
            "SMS Opt In": no if TEXTS in each.opted_out else "",
        }

    def _by_columns(self, them: list[Case]) -> dict[tuple[str, ...], list[tuple[Case, dict[str, str]]]]:
        """Returns the people by the columns that say it, each with the cells: every column has every word."""
        found: dict[tuple[str, ...], list[tuple[Case, dict[str, str]]]] = {}
        for index, each in enumerate(them):
            cells = {}
            for kind in KINDS:
                column, is_opt_out = COLUMNS[kind][index % len(COLUMNS[kind])]
                words = YES if is_opt_out else NO
                cells[column] = words[index // len(COLUMNS[kind]) % len(words)] if kind in each.opted_out else ""
            found.setdefault(tuple(cells), []).append((each, cells))
        return found

    def _import(self, kind: str, rows: list[dict[str, str]], name: str = "file") -> None:
        file = self.folder / f"{name}.csv"
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        options = ("--campaign", self.api.campaign_id) if kind == "outreaches" else ()
        output = self._run("import", kind, str(file), *options)
        assert "Rejected:" not in output, output

    def _run(self, *arguments: str, typed: str | None = None) -> str:
        result = self.app.test_cli_runner().invoke(args=list(arguments), input=typed)
        assert result.exit_code == 0, result.output
        return result.output

    def pull(self, them: list[Case]) -> None:
        self.people[:] = [each.person for each in them]
        result = self.app.test_cli_runner().invoke(args=["import", "osdi", self.url])
        assert result.exit_code == 0, result.output
        assert "Rejected:" not in result.output, result.output


PATHS = tuple(name for name in vars(Paths) if not name.startswith("_"))
# Each path gets every fifth person, and neighbours in the table get different ones. Each reader of spellings reads all
# of them in a slow test. The other paths lead to one of these readers.
READERS = (
    *("post", "put", "ndjson", "flags_of_entries"),
    *("csv_columns_of_statuses", "csv_columns_of_flags", "csv_words_beside_the_details"),
)


ALL, FIFTH = "all people", "a fifth"
SHARES = [*((path, FIFTH) for path in PATHS), *(pytest.param(path, ALL, marks=pytest.mark.slow) for path in READERS)]


def cases_of(path: str, share: str) -> list[Case]:
    return cases()[PATHS.index(path) % 5 :: 5] if share == FIFTH else cases()


@pytest.fixture
def paths(
    mongod: Mongod,
    path: str,
    app: Flask,
    api: Client,
    store: Store,
    tmp_path: Path,
    remote: tuple[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Paths]:
    monkeypatch.chdir(tmp_path)
    with long_history(mongod.uri) if "backup" in path else nullcontext():
        yield Paths(app, api, store, tmp_path, remote)


def not_listed(store: Store, them: list[Case]) -> set[tuple[str, str]]:
    """Returns the opt-outs that the suppression list does not have."""
    return {pair for each in them for pair in each.unwanted if LISTED[pair[0]] not in opted_out(store, pair[1])}


@pytest.mark.parametrize(("path", "share"), SHARES)
def test_a_person_who_opted_out_is_not_contacted(
    path: str,
    share: str,
    paths: Paths,
    api: Client,
    store: Store,
    database: Database,
    request_followups: Callable[..., None],
    deliver_followups: Callable[..., None],
    sent: Sent,
) -> None:
    them, control = cases_of(path, share), case({}, {}, set())
    # The list does not say by which spelling somebody opted out: a third of many spellings is asked for.
    asked = them[READERS.index(path) % 3 :: 3] if share == ALL else them
    getattr(paths, path)(them)
    request_followups(control.address, control.number, token=True)

    assert not not_listed(store, them)
    for each in asked:
        request_followups(each.address, each.number, token=True, kinds=each.opted_out)
    deliver_followups(followup_interval_hours=0)
    after_the_opt_out = sent.all
    for person in list(database.people.find({}, {"_id": 1})):
        assert api.delete(f"/people/{person['_id']}").status_code == 200
    assert not not_listed(store, them)
    for number, each in enumerate(asked):
        request_followups(each.address, each.number, token=number % 2 == 0, kinds=each.opted_out)
    deliver_followups(followup_interval_hours=0)

    unwanted = {pair: each for each in them for pair in each.unwanted}
    assert not {pair: unwanted[pair] for pair in unwanted.keys() & after_the_opt_out}
    assert not {pair: unwanted[pair] for pair in unwanted.keys() & sent.all}
    assert {(MAIL, control.address), (TEXTS, control.number), (CALLS, control.number)} <= sent.all


def test_each_path_says_all_kinds_of_opt_outs_and_every_spelling_takes_several() -> None:
    said = {path: [(each.email, each.phone) for each in cases_of(path, FIFTH)] for path in PATHS}

    assert all(frozenset().union(*(each.opted_out for each in cases_of(path, FIFTH))) == set(KINDS) for path in PATHS)
    for each in cases():
        assert sum((each.email, each.phone) in spellings for spellings in said.values()) >= len(PATHS) // 5


@pytest.mark.parametrize("known", [True, False], ids=["a stored person", "nobody"])
@pytest.mark.parametrize(("way", "source"), [("page", "link"), ("one click", "one_click"), ("bounce", "bounce")])
def test_a_link_or_bounce_stops_mail_to_an_address_of(
    known: bool,
    way: str,
    source: str,
    api: Client,
    store: Store,
    database: Database,
    request_followups: Callable[..., None],
    deliver_followups: Callable[..., None],
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

    request_followups(them.address, them.number, token=True)
    request_followups(them.address.upper(), them.number, token=False)
    deliver_followups(followup_interval_hours=0)

    assert not them.unwanted & sent.all
    assert (CALLS, them.number) in sent.all
    (entry,) = database.suppressions.find()
    assert entry["refused"]["mail"]["source"] == source
    assert them.address not in json.dumps(entry, default=str)
