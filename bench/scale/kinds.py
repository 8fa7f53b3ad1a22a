"""Kinds of request that are measured in a database of each size, with the bound for a larger database."""

import datetime as dt
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from bench import bodies
from bench.loaded_people import FIRST, Shape, email, helper_body, identifier, outreach_identifier, phone, shape_of
from bench.loading import CAMPAIGNS, HELPER, Loaded, slug_of_campaign
from bench.scale.client import ApiRequest, Client
from osdi.resources import PAGES

# Bounds: the largest database may take at most this many times as long as the smallest.
HELPER_BOUND, READ_BOUND = 1.15, 1.3
PER_PAGE = 25
# Share of a collection that precedes a far page.
FAR = 0.9
FAR_PAGES = 20
# The server finds a page by number from pages that were read before, up to a million resources away. So the way to a
# far page of a large collection has another page after each STEP resources.
STEP = 250_000
STATS_DAYS = 90
# Number of loaded people in the time range of a filter by date.
WINDOW = 25


class RequestFactory:
    """Makes requests to one filled database, about random people and campaigns."""

    def __init__(self, loaded: Loaded, client: Client, seed: int) -> None:
        self.loaded = loaded
        self.rng = random.Random(seed)
        self.numbers = itertools.count(1)
        self.far = {path: list(self._far_pages(path, client)) for path in self._far_paths()}
        changed = f"{PEOPLE}?{urlencode({'filter': self.half('modified_date')})}"
        self.far[CHANGED] = list(self._far_pages(changed, client))
        self.rare_names = [f"Quellmalz{number}" for number in range(RARE_NAMES)]
        for number, name in enumerate(self.rare_names):
            body = {"person": {"family_name": name, "identifiers": [f"rare:{number}"]}}
            client.send(ApiRequest(f"{PEOPLE}/person_signup_helper", json.dumps(body)))
        self._next_page = 0

    def number(self, has: Callable[[Shape], bool] = lambda _: True) -> int:
        """Returns the number of a random loaded person whose shape fulfils the condition."""
        while True:
            number = self.rng.randrange(FIRST, FIRST + self.loaded.people)
            if has(shape_of(number)):
                return number

    def helper(self, body: str, *, with_token: bool) -> ApiRequest:
        """Returns a post to the helper of a random campaign."""
        return ApiRequest(f"/advocacy_campaigns/{self.campaign()}/{HELPER}", body, with_token)

    def new_person(self, *, with_token: bool) -> ApiRequest:
        template = bodies.helper_body(identifiers=with_token)
        # Each number is used once per database, so every person is new.
        return self.helper(bodies.filled(template, next(self.numbers)), with_token=with_token)

    def known_person(self, *, with_token: bool) -> ApiRequest:
        number = self.number(lambda shape: shape.token == with_token)
        return self.helper(json.dumps(helper_body(number, self.loaded.question)), with_token=with_token)

    def campaign(self) -> str:
        return self.rng.choice(self.loaded.campaigns)

    def campaign_page(self, suffix: str = "") -> ApiRequest:
        """Returns a request for an address of a random campaign's public page."""
        slug = slug_of_campaign(self.rng.randrange(len(self.loaded.campaigns)))
        return ApiRequest(f"/{slug}{suffix}", with_token=False, root=PAGES)

    def id_of_person(self) -> str:
        return self.rng.choice(list(self.loaded.ids.values()))

    def filtered(self, path: str, text: str) -> ApiRequest:
        return ApiRequest(f"{path}?{urlencode({'filter': text, 'per_page': PER_PAGE})}")

    def far_page(self, path: str) -> ApiRequest:
        """Returns a request for a far page, by a `next` link."""
        return ApiRequest(self.rng.choice(self.far[path]))

    def far_page_by_number(self) -> ApiRequest:
        """Returns a request for a far page of people by its number."""
        return ApiRequest(f"/people?per_page={PER_PAGE}&page={self._far_page_number(self.loaded.people)}")

    def following_page_by_number(self) -> ApiRequest:
        """Returns a request for a far page of people by its number: the page behind that of the last request."""
        pages = self.loaded.people // PER_PAGE
        if not int(pages * FAR) < self._next_page < pages:
            self._next_page = int(pages * FAR)
        self._next_page += 1
        return ApiRequest(f"/people?per_page={PER_PAGE}&page={self._next_page}")

    def rare_name(self) -> str:
        """Returns a family name that one person has."""
        return self.rng.choice(self.rare_names)

    def window(self, field: str) -> str:
        """Returns a filter by date for a random time range that contains WINDOW people or outreaches."""
        steps = self.rng.randrange(0, self.loaded.people - WINDOW)
        since = self.loaded.starts + self.loaded.step * steps
        return f"{field} ge '{_odata_date(since)}' and {field} lt '{_odata_date(since + self.loaded.step * WINDOW)}'"

    def latest(self, field: str) -> str:
        """Returns a filter by date as a sync uses: the last WINDOW loaded people, and all later ones."""
        return f"{field} gt '{_odata_date(self.loaded.starts + self.loaded.step * (self.loaded.people - WINDOW))}'"

    def half(self, field: str) -> str:
        """Returns a filter by date that the later half of all people fulfils."""
        return f"{field} gt '{_odata_date(self.loaded.starts + self.loaded.step * (self.loaded.people // 2))}'"

    def statistics(self) -> ApiRequest:
        """Returns a request for a random campaign's statistics of the last STATS_DAYS days."""
        last = dt.datetime.now(dt.UTC).date()
        days = urlencode({"from": last - dt.timedelta(days=STATS_DAYS - 1), "to": last})
        return ApiRequest(f"/advocacy_campaigns/{self.campaign()}/stats?{days}")

    def _far_paths(self) -> tuple[str, ...]:
        return (PEOPLE, OUTREACHES, f"/advocacy_campaigns/{self.loaded.campaigns[0]}/outreaches", _taggings(self))

    def _far_pages(self, path: str, client: Client) -> Iterator[str]:
        """Yields the `next` links of random far pages of a collection."""
        path += f"{'&' if '?' in path else '?'}per_page={PER_PAGE}"
        total = client.send(ApiRequest(path)).json["total_records"]
        for number in range(STEP // PER_PAGE, int(total // PER_PAGE * FAR), STEP // PER_PAGE):
            client.send(ApiRequest(f"{path}&page={number}"))
        for _ in range(FAR_PAGES):
            number = self._far_page_number(total)
            far = client.send(ApiRequest(f"{path}&page={number}")).next_path()
            if far is not None:
                yield far

    def _far_page_number(self, total: int) -> int:
        pages = total // PER_PAGE
        return self.rng.randrange(int(pages * FAR), pages)


PEOPLE, OUTREACHES, LISTS = "/people", "/outreaches", "/lists"
# The key of far pages of changed people.
CHANGED = "changed"
RARE_NAMES = 20


def _taggings(factory: RequestFactory) -> str:
    return f"/tags/{factory.loaded.tags[0]}/taggings"


def _of_campaign(factory: RequestFactory) -> str:
    return f"/advocacy_campaigns/{factory.campaign()}/outreaches"


def _odata_date(timestamp: dt.datetime) -> str:
    return f"{timestamp:%Y-%m-%dT%H:%M:%S}Z"


@dataclass(frozen=True)
class Kind:
    """A kind of request: label, function that makes one, bound, and expected `total_records`.

    `bound` is None if the time is reported without a bound. `total` is None if `total_records` is not checked.
    """

    label: str
    make: Callable[[RequestFactory], ApiRequest]
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
    Kind("people, first page", lambda on: ApiRequest(_page(PEOPLE))),
    Kind("people, far page by `next`", lambda on: on.far_page(PEOPLE)),
    Kind("people, far page by its number", lambda on: on.far_page_by_number(), bound=None),
    Kind("people, far pages by their numbers, one after another", lambda on: on.following_page_by_number()),
    Kind("a person", lambda on: ApiRequest(f"{PEOPLE}/{on.id_of_person()}")),
    Kind("a person's outreaches", lambda on: ApiRequest(f"{PEOPLE}/{on.id_of_person()}/outreaches")),
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
    Kind("people by `modified_date`, half of all, far page by `next`", lambda on: on.far_page(CHANGED)),
    Kind("people by `family_name`", lambda on: on.filtered(PEOPLE, f"family_name eq '{on.rare_name()}'"), total=1),
    Kind(
        "people by `startswith(family_name,...)`",
        lambda on: on.filtered(PEOPLE, f"startswith(family_name,'{on.rare_name()[:9]}')"),
        total=RARE_NAMES,
    ),
    Kind("people by `created_date`, some moments", lambda on: on.filtered(PEOPLE, on.window("created_date"))),
    Kind("people by `created_date`, half of all", lambda on: on.filtered(PEOPLE, on.half("created_date"))),
    Kind("outreaches, first page", lambda on: ApiRequest(_page(OUTREACHES))),
    Kind("outreaches, far page by `next`", lambda on: on.far_page(OUTREACHES)),
    Kind(
        "outreaches by `identifier`",
        lambda on: on.filtered(OUTREACHES, f"identifier eq '{outreach_identifier(on.number(_token))}'"),
        total=1,
    ),
    Kind("outreaches by `modified_date`, some moments", lambda on: on.filtered(OUTREACHES, on.window("modified_date"))),
    Kind("outreaches by `modified_date`, the latest", lambda on: on.filtered(OUTREACHES, on.latest("modified_date"))),
    Kind("outreaches by `created_date`, some moments", lambda on: on.filtered(OUTREACHES, on.window("created_date"))),
    Kind("a campaign, with `total_outreaches`", lambda on: ApiRequest(f"/advocacy_campaigns/{on.campaign()}")),
    Kind(f"the {CAMPAIGNS} campaigns", lambda on: ApiRequest(_page("/advocacy_campaigns"))),
    Kind("a campaign's outreaches, first page", lambda on: ApiRequest(_page(_of_campaign(on)))),
    Kind(
        "a campaign's outreaches, far page by `next`",
        lambda on: on.far_page(f"/advocacy_campaigns/{on.loaded.campaigns[0]}/outreaches"),
    ),
    Kind(
        "a campaign's outreaches by `modified_date`, the latest",
        lambda on: on.filtered(_of_campaign(on), on.latest("modified_date")),
    ),
    Kind(f"a campaign's statistics of {STATS_DAYS} days", lambda on: on.statistics()),
    Kind("a campaign's public page, with its count", lambda on: on.campaign_page()),
    Kind("a campaign's public count as JSON", lambda on: on.campaign_page(".json")),
    Kind("a list, with `total_items`", lambda on: ApiRequest(f"{LISTS}/{on.loaded.list_id}")),
    Kind("a list's items, first page", lambda on: ApiRequest(_page(f"{LISTS}/{on.loaded.list_id}/items"))),
    Kind("a tag's taggings, first page", lambda on: ApiRequest(_page(_taggings(on)))),
    Kind("a tag's taggings, far page by `next`", lambda on: on.far_page(_taggings(on))),
    Kind("a question's answers, first page", lambda on: ApiRequest(_page(f"/questions/{on.loaded.question}/answers"))),
)
