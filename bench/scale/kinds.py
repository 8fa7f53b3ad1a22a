"""What is asked of a database of each size: a table of requests, each with what it may cost in a larger one."""

import datetime as dt
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from bench import bodies
from bench.loaded_people import FIRST, Shape, email, helper_body, identifier, outreach_identifier, phone, shape_of
from bench.loading import CAMPAIGNS, HELPER, Loaded
from bench.scale.client import Ask, Client

# So many times what it takes in the smallest database (issue: nothing lost, and flat as it grows).
HELPER_BOUND, READ_BOUND = 1.15, 1.3
PER_PAGE = 25
# A far page is one behind this share of the collection.
FAR = 0.9
FAR_PAGES = 20
STATS_DAYS = 90
# So many people came, or were changed, in the time that a filter by date asks for.
WINDOW = 25


class Asker:
    """Knows one filled database, and makes requests of it: about whom, by chance."""

    def __init__(self, loaded: Loaded, client: Client, seed: int) -> None:
        self.loaded = loaded
        self.chance = random.Random(seed)
        self.numbers = itertools.count(1)
        self.far = {path: list(self._far_pages(path, client)) for path in self._far_paths()}

    def number(self, has: Callable[[Shape], bool] = lambda _: True) -> int:
        """Somebody among the loaded people whose shape is such."""
        while True:
            number = self.chance.randrange(FIRST, FIRST + self.loaded.people)
            if has(shape_of(number)):
                return number

    def helper(self, body: str, *, with_token: bool) -> Ask:
        """A post to the helper of any campaign."""
        return Ask(f"/advocacy_campaigns/{self.campaign()}/{HELPER}", body, with_token)

    def new_person(self, *, with_token: bool) -> Ask:
        template = bodies.helper_body(identifiers=with_token)
        # Each database has numbers of its own, and so has each kind of request: nobody is known already.
        return self.helper(bodies.filled(template, next(self.numbers)), with_token=with_token)

    def known_person(self, *, with_token: bool) -> Ask:
        number = self.number(lambda shape: shape.token == with_token)
        return self.helper(json.dumps(helper_body(number, self.loaded.question)), with_token=with_token)

    def campaign(self) -> str:
        return self.chance.choice(self.loaded.campaigns)

    def id_of_person(self) -> str:
        return self.chance.choice(list(self.loaded.ids.values()))

    def filtered(self, path: str, text: str) -> Ask:
        return Ask(f"{path}?{urlencode({'filter': text, 'per_page': PER_PAGE})}")

    def far_page(self, path: str) -> Ask:
        """A far page as `next` links lead to it."""
        return Ask(self.chance.choice(self.far[path]))

    def far_number(self) -> Ask:
        """A far page of people by its number."""
        return Ask(f"/people?per_page={PER_PAGE}&page={self._far_numbers(self.loaded.people)}")

    def window(self, field: str) -> str:
        """A filter by a date, in which WINDOW people or outreaches lie, somewhere in the two years."""
        steps = self.chance.randrange(0, self.loaded.people - WINDOW)
        since = self.loaded.starts + self.loaded.step * steps
        return f"{field} ge '{_said(since)}' and {field} lt '{_said(since + self.loaded.step * WINDOW)}'"

    def latest(self, field: str) -> str:
        """A filter by a date, as a sync asks: the last WINDOW of the loaded, and whatever has come since."""
        return f"{field} gt '{_said(self.loaded.starts + self.loaded.step * (self.loaded.people - WINDOW))}'"

    def half(self, field: str) -> str:
        """A filter by a date, behind which half of all lie."""
        return f"{field} gt '{_said(self.loaded.starts + self.loaded.step * (self.loaded.people // 2))}'"

    def statistics(self) -> Ask:
        """What was done in a campaign in the last STATS_DAYS."""
        last = dt.datetime.now(dt.UTC).date()
        days = urlencode({"from": last - dt.timedelta(days=STATS_DAYS - 1), "to": last})
        return Ask(f"/advocacy_campaigns/{self.campaign()}/stats?{days}")

    def _far_paths(self) -> tuple[str, ...]:
        return (PEOPLE, OUTREACHES, f"/advocacy_campaigns/{self.loaded.campaigns[0]}/outreaches", _taggings(self))

    def _far_pages(self, path: str, client: Client) -> Iterator[str]:
        """Where `next` leads from pages behind FAR of a collection."""
        total = client.ask(Ask(f"{path}?per_page={PER_PAGE}")).json["total_records"]
        for _ in range(FAR_PAGES):
            number = self._far_numbers(total)
            far = client.ask(Ask(f"{path}?per_page={PER_PAGE}&page={number}")).next_path()
            if far is not None:
                yield far

    def _far_numbers(self, total: int) -> int:
        pages = total // PER_PAGE
        return self.chance.randrange(int(pages * FAR), pages)


PEOPLE, OUTREACHES, LISTS = "/people", "/outreaches", "/lists"


def _taggings(asker: Asker) -> str:
    return f"/tags/{asker.loaded.tags[0]}/taggings"


def _of_campaign(asker: Asker) -> str:
    return f"/advocacy_campaigns/{asker.campaign()}/outreaches"


def _said(timestamp: dt.datetime) -> str:
    return f"{timestamp:%Y-%m-%dT%H:%M:%S}Z"


@dataclass(frozen=True)
class Kind:
    """A request: what it is called, how it is made, what it may cost, and how many records its answer tells of.

    `bound` is None where the cost is told and not bounded. `total` is what `total_records` has to be.
    """

    label: str
    ask: Callable[[Asker], Ask]
    bound: float | None = READ_BOUND
    total: int | None = None


def _token(shape: Shape) -> bool:
    return shape.token


def _page(path: str) -> str:
    return f"{path}?per_page={PER_PAGE}"


KINDS: tuple[Kind, ...] = (
    Kind("helper, somebody new, with token", lambda on: on.new_person(with_token=True), HELPER_BOUND),
    Kind("helper, somebody known, with token", lambda on: on.known_person(with_token=True), HELPER_BOUND),
    Kind("helper, somebody new, without token", lambda on: on.new_person(with_token=False), HELPER_BOUND),
    Kind("helper, somebody known, without token", lambda on: on.known_person(with_token=False), HELPER_BOUND),
    Kind("people, first page", lambda on: Ask(_page(PEOPLE))),
    Kind("people, far page by `next`", lambda on: on.far_page(PEOPLE)),
    Kind("people, far page by its number", lambda on: on.far_number(), bound=None),
    Kind("a person", lambda on: Ask(f"{PEOPLE}/{on.id_of_person()}")),
    Kind("a person's outreaches", lambda on: Ask(f"{PEOPLE}/{on.id_of_person()}/outreaches")),
    Kind(
        "people by `identifier`",
        lambda on: on.filtered(PEOPLE, f"identifier eq '{identifier(on.number(_token))}'"),
        total=1,
    ),
    Kind(
        "people by `identifier`, the server's own",
        lambda on: on.filtered(PEOPLE, f"identifier eq 'osdi_outreach:{on.id_of_person()}'"),
        total=1,
    ),
    Kind(
        "people by `email_address`",
        lambda on: on.filtered(PEOPLE, f"email_address eq '{email(on.number(lambda shape: shape.email))}'"),
        total=1,
    ),
    Kind(
        "people by `email_address` and `family_name`",
        lambda on: on.filtered(
            PEOPLE, f"email_address eq '{email(on.number(lambda shape: shape.email))}' and family_name eq 'Kim'"
        ),
    ),
    Kind(
        "people by `startswith(email_address,...)`",
        lambda on: on.filtered(PEOPLE, f"startswith(email_address,'{email(on.number())[:-13]}')"),
    ),
    Kind(
        "people by `phone_number`",
        lambda on: on.filtered(PEOPLE, f"phone_number eq '+{phone(on.number(lambda shape: shape.phone))}'"),
        total=1,
    ),
    Kind("people by `modified_date`, some moments", lambda on: on.filtered(PEOPLE, on.window("modified_date"))),
    Kind("people by `modified_date`, the latest", lambda on: on.filtered(PEOPLE, on.latest("modified_date"))),
    Kind("people by `modified_date`, half of all", lambda on: on.filtered(PEOPLE, on.half("modified_date"))),
    Kind("people by `created_date`, some moments", lambda on: on.filtered(PEOPLE, on.window("created_date"))),
    Kind("people by `created_date`, half of all", lambda on: on.filtered(PEOPLE, on.half("created_date"))),
    Kind("outreaches, first page", lambda on: Ask(_page(OUTREACHES))),
    Kind("outreaches, far page by `next`", lambda on: on.far_page(OUTREACHES)),
    Kind(
        "outreaches by `identifier`",
        lambda on: on.filtered(OUTREACHES, f"identifier eq '{outreach_identifier(on.number(_token))}'"),
        total=1,
    ),
    Kind("outreaches by `modified_date`, some moments", lambda on: on.filtered(OUTREACHES, on.window("modified_date"))),
    Kind("outreaches by `modified_date`, the latest", lambda on: on.filtered(OUTREACHES, on.latest("modified_date"))),
    Kind("outreaches by `created_date`, some moments", lambda on: on.filtered(OUTREACHES, on.window("created_date"))),
    Kind("a campaign, with `total_outreaches`", lambda on: Ask(f"/advocacy_campaigns/{on.campaign()}")),
    Kind(f"the {CAMPAIGNS} campaigns", lambda on: Ask(_page("/advocacy_campaigns"))),
    Kind("a campaign's outreaches, first page", lambda on: Ask(_page(_of_campaign(on)))),
    Kind(
        "a campaign's outreaches, far page by `next`",
        lambda on: on.far_page(f"/advocacy_campaigns/{on.loaded.campaigns[0]}/outreaches"),
    ),
    Kind(
        "a campaign's outreaches by `modified_date`, the latest",
        lambda on: on.filtered(_of_campaign(on), on.latest("modified_date")),
    ),
    Kind(f"a campaign's statistics of {STATS_DAYS} days", lambda on: on.statistics()),
    Kind("a list, with `total_items`", lambda on: Ask(f"{LISTS}/{on.loaded.list_id}")),
    Kind("a list's items, first page", lambda on: Ask(_page(f"{LISTS}/{on.loaded.list_id}/items"))),
    Kind("a tag's taggings, first page", lambda on: Ask(_page(_taggings(on)))),
    Kind("a tag's taggings, far page by `next`", lambda on: on.far_page(_taggings(on))),
    Kind("a question's answers, first page", lambda on: Ask(_page(f"/questions/{on.loaded.question}/answers"))),
)
