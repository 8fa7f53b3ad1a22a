"""Fills a database with people and their outreaches, of the shape that the service writes, a million in minutes.

The process: the application makes campaigns, tags, a list and a question by its own routes, and records an outreach of
each shape; what it wrote are the templates, and is deleted. Then documents are made of the templates, which differ in
ids, identifiers, keys, names, contact details and dates, and inserted many at once, without waiting for the journal.
The indexes are created last, which is quicker.
"""

import datetime as dt
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click
import uuid_utils
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from bench.loaded_people import (
    FIRST,
    LIST,
    MARKS,
    NAMESAKES,
    SHAPES,
    TAGS,
    Document,
    Shape,
    body,
    outreach_identifier,
    shape_of,
    values,
)
from bench.server import ServerFailed
from blueprints.http.context import EXTENSION
from osdi.match_keys import NAME_AND_POSTAL_CODE, name_and_postal_code_keys
from osdi.resources import API
from osdi.settings import Settings
from osdi.store import Store

CAMPAIGNS: Final = 10
YEARS: Final = dt.timedelta(days=730)
# The last of the loaded people came that long ago.
AGO: Final = dt.timedelta(hours=1)
BATCH: Final = 5_000
# Share of the outreaches that are by somebody new; the others are by somebody who came shortly before.
OWN_OUTREACH: Final = 0.7
# Share of the people who were changed after they came.
CHANGED: Final = 0.2

# Number of the person of a template; stands in their name, e-mail address, phone number and identifiers.
MARK: Final = 98_765_432
HELPER: Final = "record_outreach_helper"


@dataclass(frozen=True)
class Loaded:
    """A filled database: how to reach it, how many people and outreaches, and the ids of what lies around them.

    `starts` is when the first person came, `step` the time from one to the next; `ids` holds the ids of some people,
    by their number.
    """

    uri: str
    token: str
    people: int
    campaigns: tuple[str, ...]
    tags: tuple[str, ...]
    list_id: str
    question: str
    starts: dt.datetime
    step: dt.timedelta
    ids: Mapping[int, str]

    def timestamp(self, number: int) -> dt.datetime:
        """When person `number` came, as naive UTC of whole seconds."""
        return (self.starts + self.step * (number - FIRST)).replace(microsecond=0)


def load(uri: str, token: str, people: int, *, sampled: int = 2_000, quiet: bool = False) -> Loaded:
    """Fill the database with `people` people and as many outreaches. Raises ServerFailed.

    The token and the indexes have to be there already; the database is to be empty but for these.
    """
    ends = dt.datetime.now(dt.UTC).replace(tzinfo=None) - AGO
    with MongoClient[Document](uri, tz_aware=False) as client:
        database = client.get_default_database()
        loaded, templates = _around(database, uri, token)
        step = YEARS / people
        loaded = replace(loaded, people=people, starts=ends - step * people, step=step)
        ids: dict[int, str] = {}
        every = max(1, people // sampled)
        for collection in (database.people, database.outreaches):
            collection.drop_indexes()
        with click.progressbar(length=people, label=f"{people:,} people", file=sys.stderr, hidden=quiet) as bar:
            for made in _batches(loaded, templates):
                database.people.insert_many((person for person, _ in made), ordered=False)
                database.outreaches.insert_many((outreach for _, outreach in made), ordered=False)
                first = FIRST + bar.pos
                ids |= {first + at: made[at][0]["_id"] for at in range(-bar.pos % every, len(made), every)}
                bar.update(len(made))
        store = Store(uri)
        store.create_indexes()
        store.close()
        client.admin.command("fsync")
    return replace(loaded, ids=ids)


def _around(database: Database[Document], uri: str, token: str) -> tuple[Loaded, dict[Shape, "_Template"]]:
    """What lies around people and outreaches, made by the application, and the documents that it writes of each shape.

    People and outreaches are deleted again.
    """
    with _application(uri) as client:
        campaigns = tuple(
            _post(client, token, "/advocacy_campaigns", {"title": f"Campaign {at}", "name": f"campaign-{at}"})
            for at in range(CAMPAIGNS)
        )
        tags = tuple(_post(client, token, "/tags", {"name": name}) for name in TAGS)
        list_id = _post(client, token, "/lists", {"name": LIST, "title": "Newsletter"})
        asked = {"title": "What moves you?", "question_type": "MultiChoice"}
        asked["responses"] = [{"key": "river", "title": "The river"}, {"key": "town", "title": "The town"}]
        question = _post(client, token, "/questions", asked)
        templates = {}
        for shape in SHAPES:
            posted = body(MARK, shape, question, {mark: mark for mark in MARKS})
            if shape.token:
                posted["identifiers"] = [outreach_identifier(MARK)]
            _post(client, token if shape.token else "", f"/advocacy_campaigns/{campaigns[0]}/{HELPER}", posted)
            (person,), (outreach,) = database.people.find(), database.outreaches.find()
            templates[shape] = _Template(person, outreach)
            database.people.delete_many({})
            database.outreaches.delete_many({})
    nothing = dt.datetime.min
    return Loaded(uri, token, 0, campaigns, tags, list_id, question, nothing, dt.timedelta(), {}), templates


@contextmanager
def _application(uri: str) -> Iterator[FlaskClient]:
    """The application of this checkout in this process, which says nothing."""
    unlimited = dict.fromkeys(("rate_limit_anonymous", "rate_limit_token", "rate_limit_contact"), "")
    app = create_app(Settings(mongodb_uri=uri, log_format="json", **unlimited))
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # the requests' lines in the log
            yield app.test_client()
    finally:
        app.extensions[EXTENSION].store.close()


def _post(client: FlaskClient, token: str, path: str, posted: Document) -> str:
    """POST by the application's own route; the id of what was made, or "" where that is not told."""
    answer = client.post(API + path, data=json.dumps(posted), headers={"OSDI-API-Token": token} if token else {})
    if answer.status_code != 200:
        raise ServerFailed(f"POST {path} was answered {answer.status_code}: {answer.text[:500]}")
    links = (answer.json or {}).get("_links")
    return str(links["self"]["href"].rsplit("/", 1)[-1]) if links else ""


@dataclass(frozen=True)
class _Marks:
    """What one person and outreach have instead of what the template has."""

    number: str
    texts: Mapping[str, str]
    timestamp: dt.datetime
    person_id: str
    outreach_id: str
    new_id: Callable[[], str]


_Fill = Callable[[_Marks], Any]

RULES = Settings().match_key_rules


def _name(person: Document, *, owned: bool) -> None:
    """Give a person the key of their name instead of the template's, which the first of that name owns."""
    keys = [each for each in person["match_keys"] if not each.startswith(NAME_AND_POSTAL_CODE)]
    person["match_keys"] = [*keys, *name_and_postal_code_keys(person)] if owned else keys
    if not owned:
        RULES.set_derived_keys(person)


class _Template:
    """Makes people and outreaches like those that the application wrote of one shape."""

    def __init__(self, person: Document, outreach: Document) -> None:
        self._ids = {person["_id"]: "person_id", outreach["_id"]: "outreach_id"}
        person_fill, outreach_fill = self._fill(person), self._fill(outreach)
        assert person_fill is not None
        assert outreach_fill is not None
        self._person, self._outreach = person_fill, outreach_fill

    def made(self, marks: _Marks, *, by: str, campaign_id: str, modified: dt.datetime) -> tuple[Document, Document]:
        """The person, and an outreach on the campaign by the person with the id `by`."""
        person, outreach = self._person(marks), self._outreach(marks)
        person["modified_date"] = modified
        _name(person, owned=int(marks.number) - FIRST < NAMESAKES)
        outreach |= {"person_id": by, "advocacy_campaign_id": campaign_id}
        return person, outreach

    def _fill(self, value: Any) -> _Fill | None:
        """What makes the value for other marks; None where it is the same for all."""
        if isinstance(value, dict):
            fills = [
                (name, (lambda marks: marks.new_id()) if name == "_id" and each not in self._ids else self._fill(each))
                for name, each in value.items()
            ]
            varying = [(name, fill) for name, fill in fills if fill]
            return (lambda marks: {**value, **{name: fill(marks) for name, fill in varying}}) if varying else None
        if isinstance(value, list):
            each_fill = [self._fill(each) or (lambda _, each=each: each) for each in value]
            varies = any(self._fill(each) for each in value)
            return (lambda marks: [fill(marks) for fill in each_fill]) if varies else None
        if isinstance(value, dt.datetime):
            return lambda marks: marks.timestamp
        return self._text(value) if isinstance(value, str) else None

    def _text(self, text: str) -> _Fill | None:
        if text in MARKS:
            return lambda marks: marks.texts[text]
        for document_id, name in self._ids.items():
            if document_id in text:
                before, _, behind = text.partition(document_id)
                return lambda marks: before + getattr(marks, name) + behind
        if str(MARK) in text:
            before, _, behind = text.partition(str(MARK))
            return lambda marks: before + marks.number + behind
        return None


def _batches(loaded: Loaded, templates: Mapping[Shape, _Template]) -> Iterator[list[tuple[Document, Document]]]:
    """All people with an outreach each, in the order of time. The same every time, but for ids and dates."""
    chance = random.Random(loaded.people)
    shares = [1 / (1 + at) for at in range(CAMPAIGNS)]
    ends = loaded.starts + loaded.step * loaded.people
    for first in range(0, loaded.people, BATCH):
        made: list[tuple[Document, Document]] = []
        count = min(BATCH, loaded.people - first)
        campaigns = chance.choices(loaded.campaigns, shares, k=count)
        for at in range(count):
            number = FIRST + first + at
            came = loaded.starts + loaded.step * (first + at)
            nanoseconds = int(came.replace(tzinfo=dt.UTC).timestamp() * 1_000) * 1_000_000
            # The person is given an id first, then the outreach, then what is inside them.
            person_id, outreach_id = _id_at(nanoseconds), _id_at(nanoseconds + 1_000_000)
            entry_ids = iter(range(2, 1_000))
            timestamp = came.replace(microsecond=0)
            marks = _Marks(
                number=str(number),
                texts=values(number),
                timestamp=timestamp,
                person_id=person_id,
                outreach_id=outreach_id,
                new_id=lambda at=nanoseconds, later=entry_ids: _id_at(at + 1_000_000 * next(later)),
            )
            by = person_id if not made or chance.random() < OWN_OUTREACH else chance.choice(made)[0]["_id"]
            changed = chance.random() < CHANGED
            modified = (
                (timestamp + (ends - timestamp) * chance.random()).replace(microsecond=0) if changed else timestamp
            )
            made.append(templates[shape_of(number)].made(marks, by=by, campaign_id=campaigns[at], modified=modified))
        yield made


def _id_at(nanoseconds: int) -> str:
    """An id as osdi.ids.new_id makes it, of a moment in nanoseconds since 1970."""
    return str(uuid_utils.uuid7(nanoseconds=nanoseconds))
