"""Fills a database with a million people and outreaches in minutes, in the form that the service writes.

First the application creates campaigns, tags, a list and a question through its routes, and records an outreach of each
shape. The stored documents become the templates and are deleted. Then the loader makes documents from the templates,
with other ids, identifiers, keys, names, contact details and dates, and inserts them in batches without waiting for the
journal. It creates the indexes last, which is faster.
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
from osdi.values.names import name_words

CAMPAIGNS: Final = 10
YEARS: Final = dt.timedelta(days=730)
# Age of the last loaded person.
AGO: Final = dt.timedelta(hours=1)
BATCH: Final = 5_000
# Share of outreaches that belong to the person created with them. The others belong to a recent person.
OWN_OUTREACH: Final = 0.7
# Share of people whose modified date is later than their creation.
CHANGED: Final = 0.2

# Number of the person of a template, as part of the e-mail address, phone number and identifiers.
MARK: Final = 98_765_432
HELPER: Final = "record_outreach_helper"


@dataclass(frozen=True)
class Loaded:
    """A filled database: connection string, token, number of people, and the ids of the other resources.

    There are as many outreaches as people. `starts` is the creation time of the first person, `step` the time from one
    person to the next. `ids` has the ids of a sample of people by number.
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
        """Returns the creation time of person `number`, as naive UTC in whole seconds."""
        return (self.starts + self.step * (number - FIRST)).replace(microsecond=0)


def load(uri: str, token: str, people: int, *, sampled: int = 2_000, quiet: bool = False) -> Loaded:
    """Fills the database with `people` people and as many outreaches. Raises ServerFailed.

    The token and the indexes must exist; otherwise the database must be empty. `sampled` is the approximate size of
    `Loaded.ids`.
    """
    ends = dt.datetime.now(dt.UTC).replace(tzinfo=None) - AGO
    with MongoClient[Document](uri, tz_aware=False) as client:
        database = client.get_default_database()
        loaded, templates = _set_up(database, uri, token)
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


def _set_up(database: Database[Document], uri: str, token: str) -> tuple[Loaded, dict[Shape, "_Template"]]:
    """Creates the other resources through the application, and a template from a posted outreach of each shape.

    It deletes the posted people and outreaches.
    """
    with _application(uri) as client:
        campaigns = tuple(
            _post(client, token, "/advocacy_campaigns", {"title": f"Campaign {at}", "name": f"campaign-{at}"})
            for at in range(CAMPAIGNS)
        )
        for at, campaign in enumerate(campaigns):
            _publish(client, token, campaign, slug_of_campaign(at))
        tags = tuple(_post(client, token, "/tags", {"name": name}) for name in TAGS)
        list_id = _post(client, token, "/lists", {"name": LIST, "title": "Newsletter"})
        posted_question = {"title": "What moves you?", "question_type": "MultiChoice"}
        posted_question["responses"] = [{"key": "river", "title": "The river"}, {"key": "town", "title": "The town"}]
        question = _post(client, token, "/questions", posted_question)
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
    """Yields a client of the application in this process. Discards its log."""
    names = ("rate_limit_anonymous", "rate_limit_anonymous_bytes", "rate_limit_token", "rate_limit_contact")
    # The documents become templates, so they must not have the key of a double click.
    app = create_app(Settings(mongodb_uri=uri, log_format="json", repeat_seconds=0, **dict.fromkeys(names, "")))
    try:
        with Path(os.devnull).open("w") as devnull, redirect_stdout(devnull):
            yield app.test_client()
    finally:
        app.extensions[EXTENSION].store.close()


def slug_of_campaign(number: int) -> str:
    """Returns the slug of the public page of a loaded campaign, which are numbered from 0."""
    return f"campaign-{number}"


def _publish(client: FlaskClient, token: str, campaign: str, slug: str) -> None:
    """Publishes the page of a campaign, which shows its count. Raises ServerFailed."""
    page = {"published": True, "slug": slug, "goal": "auto", "show_count_from": 0}
    path = f"{API}/advocacy_campaigns/{campaign}/page"
    response = client.put(path, data=json.dumps(page), headers={"OSDI-API-Token": token})
    if response.status_code != 200:
        raise ServerFailed(f"PUT {path} got {response.status_code}: {response.text[:500]}")


def _post(client: FlaskClient, token: str, path: str, posted: Document) -> str:
    """Posts to a route of the application. Returns the new id, or "" if the response is `{}`. Raises ServerFailed."""
    response = client.post(API + path, data=json.dumps(posted), headers={"OSDI-API-Token": token} if token else {})
    if response.status_code != 200:
        raise ServerFailed(f"POST {path} got {response.status_code}: {response.text[:500]}")
    links = (response.json or {}).get("_links")
    return str(links["self"]["href"].rsplit("/", 1)[-1]) if links else ""


@dataclass(frozen=True)
class _Marks:
    """Values of one person and outreach that replace those of the template."""

    number: str
    texts: Mapping[str, str]
    timestamp: dt.datetime
    person_id: str
    outreach_id: str
    new_id: Callable[[], str]


_Fill = Callable[[_Marks], Any]

RULES = Settings().match_key_rules


def _set_name_keys(person: Document, *, owned: bool) -> None:
    """Replaces what derives from the template's name. Only the first person with a name `owned` its match key."""
    person["name_words"] = name_words(person)
    keys = [each for each in person["match_keys"] if not each.startswith(NAME_AND_POSTAL_CODE)]
    person["match_keys"] = [*keys, *name_and_postal_code_keys(person)] if owned else keys
    if not owned:
        RULES.set_derived_keys(person)


class _Template:
    """Makes people and outreaches like those that the application stored for one shape."""

    def __init__(self, person: Document, outreach: Document) -> None:
        self._ids = {person["_id"]: "person_id", outreach["_id"]: "outreach_id"}
        person_fill, outreach_fill = self._fill(person), self._fill(outreach)
        assert person_fill is not None
        assert outreach_fill is not None
        self._person, self._outreach = person_fill, outreach_fill

    def make(
        self, marks: _Marks, *, person_id: str, campaign_id: str, modified: dt.datetime
    ) -> tuple[Document, Document]:
        """Returns a person, and an outreach for the campaign that belongs to the person `person_id`."""
        person, outreach = self._person(marks), self._outreach(marks)
        person["modified_date"] = modified
        _set_name_keys(person, owned=int(marks.number) - FIRST < NAMESAKES)
        outreach |= {"person_id": person_id, "advocacy_campaign_id": campaign_id}
        return person, outreach

    def _fill(self, value: Any) -> _Fill | None:
        """Returns a function that makes the value for given marks, or None if the value is the same for all."""
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
                before, _, after = text.partition(document_id)
                return lambda marks: before + getattr(marks, name) + after
        if str(MARK) in text:
            before, _, after = text.partition(str(MARK))
            return lambda marks: before + marks.number + after
        return None


def _batches(loaded: Loaded, templates: Mapping[Shape, _Template]) -> Iterator[list[tuple[Document, Document]]]:
    """Yields all people with an outreach each, in order of time. Only ids and dates differ from run to run."""
    rng = random.Random(loaded.people)
    shares = [1 / (1 + at) for at in range(CAMPAIGNS)]
    ends = loaded.starts + loaded.step * loaded.people
    for first in range(0, loaded.people, BATCH):
        made: list[tuple[Document, Document]] = []
        count = min(BATCH, loaded.people - first)
        campaigns = rng.choices(loaded.campaigns, shares, k=count)
        for at in range(count):
            number = FIRST + first + at
            created = loaded.starts + loaded.step * (first + at)
            nanoseconds = int(created.replace(tzinfo=dt.UTC).timestamp() * 1_000) * 1_000_000
            # Ids in the order of the application: the person, the outreach, then the entries inside them.
            person_id, outreach_id = _id_at(nanoseconds), _id_at(nanoseconds + 1_000_000)
            entry_ids = iter(range(2, 1_000))
            timestamp = created.replace(microsecond=0)
            marks = _Marks(
                number=str(number),
                texts=values(number),
                timestamp=timestamp,
                person_id=person_id,
                outreach_id=outreach_id,
                new_id=lambda at=nanoseconds, later=entry_ids: _id_at(at + 1_000_000 * next(later)),
            )
            author_id = person_id if not made or rng.random() < OWN_OUTREACH else rng.choice(made)[0]["_id"]
            changed = rng.random() < CHANGED
            modified = (timestamp + (ends - timestamp) * rng.random()).replace(microsecond=0) if changed else timestamp
            made.append(
                templates[shape_of(number)].make(
                    marks, person_id=author_id, campaign_id=campaigns[at], modified=modified
                )
            )
        yield made


def _id_at(nanoseconds: int) -> str:
    """Returns an id like those of osdi.ids.new_id, for a time in nanoseconds since 1970."""
    return str(uuid_utils.uuid7(nanoseconds=nanoseconds))
