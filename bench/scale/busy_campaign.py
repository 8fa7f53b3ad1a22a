"""A campaign with very many outreaches, which are inserted into a database that already has campaigns and people."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import uuid_utils
from pymongo import MongoClient

from bench.loaded_people import Document

DAYS: Final = 90
# Share of outreaches whose person acts for the first time.
NEW_PEOPLE: Final = 0.77
SOURCES, TARGETS, REFERRERS = 45, 100, 300
BATCH: Final = 5_000
# Age of the last outreach.
AGO: Final = dt.timedelta(hours=1)


def add_busy_campaign(uri: str, outreaches: int) -> str:
    """Inserts a campaign and its outreaches of the last DAYS days, in the order of time; returns its id.

    Its people are not stored. The database must have another campaign.
    """
    with MongoClient[Document](uri, tz_aware=False) as client:
        database = client.get_default_database()
        other = database.advocacy_campaigns.find_one()
        assert other is not None
        campaign_id = str(uuid_utils.uuid7())
        own = {"_id": campaign_id, "title": "Busy", "name": "busy", "match_keys": [f"id:osdi_outreach:{campaign_id}"]}
        campaign = {**other, **own, "page": {}}
        campaign.pop("counted", None)
        database.advocacy_campaigns.insert_one(campaign)
        made = _outreaches(campaign_id, outreaches)
        while batch := list(islice(made, BATCH)):
            database.outreaches.insert_many(batch, ordered=False)
    return campaign_id


def _outreaches(campaign_id: str, count: int) -> Iterator[Document]:
    rng = random.Random(count)
    ends = dt.datetime.now(dt.UTC).replace(tzinfo=None) - AGO
    starts = ends - dt.timedelta(days=DAYS - 1)
    people: list[str] = []
    for number in range(count):
        timestamp = starts + (ends - starts) * (number / count)
        if not people or rng.random() < NEW_PEOPLE:
            people.append(_id_at(timestamp))
            person_id = people[-1]
        else:
            person_id = rng.choice(people)
        yield _outreach(rng, campaign_id, person_id, timestamp)


def _outreach(rng: random.Random, campaign_id: str, person_id: str, timestamp: dt.datetime) -> Document:
    outreach_id = _id_at(timestamp)
    dates = ("action_date", "created_date", "modified_date")
    return {
        "_id": outreach_id,
        "version": 1,
        "advocacy_campaign_id": campaign_id,
        "person_id": person_id,
        **dict.fromkeys(dates, timestamp.replace(microsecond=0)),
        "match_keys": [f"id:osdi_outreach:{outreach_id}"],
        "type": rng.choice(("email", "email", "email", "phone", "postal mail")),
        "subject": "Keep the river clean",
        "message": "Please keep the river clean and stop the plans for the plant. " * 3,
        "referrer_data": {
            "source": f"source-{int(rng.paretovariate(1)) % SOURCES}",
            "referrer": f"group-{rng.randrange(REFERRERS)}",
        },
        "targets": [{"title": "Senator", "given_name": "Ann", "family_name": f"Lee {rng.randrange(TARGETS)}"}],
    }


def _id_at(timestamp: dt.datetime) -> str:
    nanoseconds = int(timestamp.replace(tzinfo=dt.UTC).timestamp() * 1_000) * 1_000_000
    return str(uuid_utils.uuid7(nanoseconds=nanoseconds))


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that this share of the values does not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * int(share * 100) // 100) - 1)]
