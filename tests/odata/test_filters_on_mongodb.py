"""Filters on a real mongod find what the same condition finds in Python, and what sync scripts ask runs on an index.

A condition is generated as a tree; `written` makes the text of it and `holds` decides it over a document. Neither
knows the parser or the queries that it makes.
"""

import datetime as dt
import os
import random
import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from osdi.errors import OsdiError
from osdi.match_keys import email_key
from osdi.odata.osdi_fields import FILTER_FIELDS
from osdi.odata.parser import MAX_CONDITIONS, MAX_DEPTH
from osdi.odata.query import to_query
from osdi.resources import OUTREACH, PERSON, Resource
from osdi.values.names import name_words
from tests.support.examples import examples
from tests.support.factories import RULES

DOCUMENTS = 300
NAMES = ["Jane", "jane", "JANE", "John", "Jon", "O'Brien", "Ann Lee", "Zoé", "ZOÉ", "a.b*", "Jane\nAnn", "%", ""]
NAMES += ["- O'Brien", "Ann-Lee", "A B C D E F G H I", "Straße", "STRASSE"]
EMAILS = [f"{name}@{host}.org" for name in ("jane", "Jane", "JOHN", "o'brien", "a.b") for host in ("x", "X", "example")]
PHONES = ["+1 (987) 654-3210", "19876543210", "1-987-654-3211", "+49 30 901820", "911", "4930901821"]
PARTS = ["", "a", "J", "an", "Ann ", "- O", "s", "ANN-", "Stra", "o'b", ".", "*", "\n", "É", "@x", ".org", "org", "ex"]
START = dt.datetime(2024, 2, 28, 22, 0, 0)
TIMESTAMPS = [START + dt.timedelta(minutes=30 * step) for step in range(12)]

Node = tuple[Any, ...]


def some(chance: random.Random, **fields: Any) -> dict[str, Any]:
    """An object with some of these fields, as documents lack fields that no client has sent."""
    return {name: value for name, value in fields.items() if value not in ([], {}) and chance.random() < 0.7}


def generated(number: int, chance: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """A person and an outreach as they are stored, out of few words, so that conditions meet them."""

    def many(entry: Any, most: int = 3) -> list[Any]:
        return [entry() for _ in range(chance.randint(0, most))]

    def one(of: list[Any]) -> Any:
        return chance.choice(of)

    def address() -> dict[str, Any]:
        location = some(chance, latitude=one([-1.5, 0.0, 40.25]), longitude=one([1, 2.5]))
        return some(chance, postal_code=one(["10011", "20009"]), region=one(["NY", "DC"]), location=location)

    person = some(
        chance,
        given_name=one(NAMES),
        additional_name=one(NAMES),
        family_name=one(NAMES),
        ethnicities=many(lambda: one(NAMES)),
        birthdate=some(chance, year=one([1979, 1980, 1981]), month=one([1, 12])),
        email_addresses=many(lambda: some(chance, address=one(EMAILS), status=one(["subscribed", "bouncing"]))),
        phone_numbers=many(lambda: some(chance, number=one(PHONES), do_not_call=one([True, False]))),
        postal_addresses=many(address),
        parties=many(lambda: some(chance, last_verified_date=one(TIMESTAMPS))),
        division_info=many(lambda: some(chance, divisions=many(lambda: some(chance, name=one(NAMES))))),
        custom_fields=some(chance, **{"shirt size": one(["S", "M"]), "age": one(["5", "50"])}),
    )
    emails = [email_key(each["address"]) for each in person.get("email_addresses", []) if "address" in each]
    phones = [RULES.phone_key(each) for each in person.get("phone_numbers", []) if "number" in each]
    person["contact_keys"] = [key for key in dict.fromkeys(emails + phones) if key]
    if words := name_words(person):
        person["name_words"] = words
    outreach = some(
        chance,
        action_date=one(TIMESTAMPS),
        type=one(["phone", "email", "Email"]),
        duration=one([0, 60, 61]),
        referrer_data=some(chance, source=one(NAMES)),
        targets=many(lambda: some(chance, given_name=one(NAMES), ocdid=one(["ocd/1", "OCD/1"]))),
    )
    for document in (person, outreach):
        keys = [f"id:ns:{number}", *([f"id:crm:{number % 40}x{number}"] if number % 2 else []), f"claimed:crm:{number}"]
        document |= {
            "_id": str(number),
            "match_keys": keys,
            "created_date": one(TIMESTAMPS),
            "modified_date": one(TIMESTAMPS),
        }
    return person, outreach


def documents() -> dict[Resource, list[dict[str, Any]]]:
    chance = random.Random(20240229)
    people, outreaches = zip(*(generated(number, chance) for number in range(DOCUMENTS)), strict=True)
    return {PERSON: list(people), OUTREACH: list(outreaches)}


# By resource: how each field is compared, and where its values are in a document.
FIELDS: dict[Resource, dict[str, tuple[str, str]]] = {
    PERSON: {
        "given_name": ("text", "given_name"),
        "last_name": ("text", "family_name"),
        "ethnicities": ("text", "ethnicities"),
        "address.postal_code": ("text", "postal_addresses.postal_code"),
        "region": ("text", "postal_addresses.region"),
        "email_addresses/status": ("text", "email_addresses.status"),
        "division_info/divisions/name": ("text", "division_info.divisions.name"),
        "custom_fields/'shirt size'": ("text", "custom_fields.shirt size"),
        "birthdate/year": ("number", "birthdate.year"),
        "postal_addresses/location/latitude": ("number", "postal_addresses.location.latitude"),
        "phone_numbers/do_not_call": ("boolean", "phone_numbers.do_not_call"),
        "parties/last_verified_date": ("date", "parties.last_verified_date"),
        "created": ("date", "created_date"),
        "modified_date": ("date", "modified_date"),
        "email_address": ("email", "email_addresses.address"),
        "phone_number": ("phone", "phone_numbers.number"),
        "identifier": ("identifier", "match_keys"),
    },
    OUTREACH: {
        "type": ("text", "type"),
        "referrer_data/source": ("text", "referrer_data.source"),
        "target_given_name": ("text", "targets.given_name"),
        "target_ocdid": ("text", "targets.ocdid"),
        "duration": ("number", "duration"),
        "action_date": ("date", "action_date"),
        "identifier": ("identifier", "match_keys"),
    },
}
VALUES: dict[str, list[Any]] = {
    "text": [*NAMES, "NY", "ny", "10011", "M", "phone", "Email", "ocd/1", "subscribed"],
    "number": [-2, -1.5, 0, 1, 40.25, 60, 60.5, 1979, 1980, 1981],
    "boolean": [True, False],
    "date": [*TIMESTAMPS, START - dt.timedelta(days=400)],
    "email": [*EMAILS, "nobody@x.org", "jane"],
    "phone": [*PHONES, "+1 987 654 3211", "10000000"],
    "identifier": ["ns:1", "ns:7", "crm:1x1", "CRM:1x1", "crm:7", "crm:3x3", "nothing"],
}
DIGITS = ["1", "19", "+1 (987)", "3210", "09", "49", "820"]
PIECES = {
    "text": [*PARTS, *NAMES],
    "email": ["J", "Jane@", "@X", "ORG", "o'B", "a.b", ".", ""],
    "phone": DIGITS,
    "identifier": ["ns", "crm:", "CRM", "1"],
}
ORDERED = ["gt", "ge", "lt", "le"]
OPERATORS = {
    "text": ["eq", "ne", "like", *ORDERED],
    "number": ["eq", "ne", *ORDERED],
    "boolean": ["eq", "ne"],
    "date": ["eq", "ne", *ORDERED],
    "email": ["eq", "ne", "like", *ORDERED],
    "phone": ["eq", "ne", "like"],
    "identifier": ["eq", "ne", "like", *ORDERED],
}


def conditions(resource: Resource) -> st.SearchStrategy[Node]:
    """Trees of conditions on a resource's fields, each node a tuple that begins with its kind."""

    def one(name: str) -> st.SearchStrategy[Node]:
        kind = FIELDS[resource][name][0]
        of = st.sampled_from
        kinds = [st.tuples(st.just("compare"), st.just(name), of(OPERATORS[kind]), of(VALUES[kind]), of([0, 2, -5]))]
        kinds += [st.tuples(st.just("null"), st.just(name), of(["eq", "ne"]))]
        if kind in PIECES:
            functions = of(["startswith", "endswith", "contains"])
            kinds += [st.tuples(st.just("search"), st.just(name), functions, of(PIECES[kind]), st.booleans())]
            kinds += [st.tuples(st.just("lower"), st.just(name), of(["eq", "ne"]), of(VALUES[kind]))]
        return st.one_of(kinds)

    return st.recursive(
        st.sampled_from(sorted(FIELDS[resource])).flatmap(one),
        lambda inner: (
            st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
            | st.tuples(st.just("not"), inner)
        ),
        max_leaves=6,
    )


def literal(value: Any, hours: int = 0) -> str:
    """A value as a filter writes it; a moment with this offset from UTC, or none."""
    if isinstance(value, dt.datetime):
        zoned = value.replace(tzinfo=dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=hours)))
        return f"'{zoned.isoformat()}'" if hours else value.isoformat()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()


def written(node: Node) -> str:
    match node:
        case "and" | "or" as word, nodes:
            # "and" binds closer than "or": only an "or" inside an "and" needs its parentheses.
            return f" {word} ".join(f"({written(n)})" if word == "and" and n[0] == "or" else written(n) for n in nodes)
        case "not", inner:
            return f"not ({written(inner)})" if inner[0] in ("and", "or", "not") else f"not {written(inner)}"
        case "compare", name, operator, value, hours:
            return f"{name} {operator} {literal(value, hours)}"
        case "lower", name, operator, value:
            return f"tolower({name}) {operator} {literal(value.lower())}"
        case "null", name, operator:
            return f"{name} {operator} null"
        case "search", name, function, part, lower:
            return f"{function}({f'tolower({name})' if lower else name},{literal(part)})"
    raise AssertionError(node)


def values(found: Any, path: str) -> list[Any]:
    """Every value at a path, of all entries of the arrays on the way."""
    if isinstance(found, list):
        return [value for entry in found for value in values(entry, path)]
    if not path:
        return [found]
    name, _, rest = path.partition(".")
    return values(found[name], rest) if isinstance(found, dict) and name in found else []


def digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def alike(kind: str, folded: bool, each: Iterable[Any]) -> list[Any]:
    """Values as they are compared: texts by their bytes, in one case where it makes no difference."""
    if kind == "phone":
        return [digits(value).encode() for value in each]
    if kind in ("text", "email", "identifier"):
        return [(value.lower() if folded or kind == "email" else value).encode() for value in each]
    return list(each)


def holds(node: Node, document: dict[str, Any], fields: dict[str, tuple[str, str]]) -> bool:
    """True if the document meets the condition. A missing field equals nothing, has no order, and contains nothing."""
    match node:
        case "and", nodes:
            return all(holds(each, document, fields) for each in nodes)
        case "or", nodes:
            return any(holds(each, document, fields) for each in nodes)
        case "not", inner:
            return not holds(inner, document, fields)
    kind, path = fields[node[1]]
    there = values(document, path)
    if kind == "identifier":
        there = [key.removeprefix("id:") for key in there if key.startswith("id:")]
    if node[0] == "null":
        return (there == []) == (node[2] == "eq")
    operator, value = node[2], node[3]
    folded = node[0] == "lower" or operator == "like" or (node[0] == "search" and node[4])
    if kind == "phone" and (node[0] == "search" or len(digits(value)) >= 7):
        there = [number for number in there if len(digits(number)) >= 7]
    there, (value,) = alike(kind, folded, there), alike(kind, folded, [value])
    match operator:
        case "eq" | "like":
            return value in there
        case "ne":
            return value not in there
        case "gt" | "ge" | "lt" | "le":
            order = {"gt": lambda a: a > value, "ge": lambda a: a >= value, "lt": lambda a: a < value}
            return any(map(order.get(operator, lambda a: a <= value), there))
        case "startswith":
            return any(each.startswith(value) for each in there)
        case "endswith":
            return any(each.endswith(value) for each in there)
    return any(value in each for each in there)


@pytest.fixture
def filled(database: Database) -> dict[Resource, list[dict[str, Any]]]:
    """People and outreaches in the database, with the indexes that filters use."""
    stored = documents()
    for resource, several in stored.items():
        database[resource.collection].insert_many(several)
        database[resource.collection].create_index("match_keys", unique=True)
    database[PERSON.collection].create_index("contact_keys")
    has_words = {"name_words": {"$exists": True}}
    database[PERSON.collection].create_index([("name_words", 1), ("_id", 1)], partialFilterExpression=has_words)
    return stored


@pytest.mark.parametrize("resource", FIELDS, ids=[each.name for each in FIELDS])
def test_a_filter_finds_what_the_same_condition_finds_in_python(
    resource: Resource, database: Database, filled: dict[Resource, list[dict[str, Any]]]
) -> None:
    selective = set()

    @settings(
        max_examples=examples(300),
        deadline=None,
        derandomize=bool(os.environ.get("CI")),
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(node=conditions(resource))
    def same(node: Node) -> None:
        text = written(node)
        expected = {each["_id"] for each in filled[resource] if holds(node, each, FIELDS[resource])}

        query = to_query(text, FILTER_FIELDS[resource], RULES)
        found = {each["_id"] for each in database[resource.collection].find(query, {"_id": 1})}

        assert found == expected, text
        if 0 < len(found) < DOCUMENTS:
            selective.add(text)

    same()
    assert len(selective) > examples(300) // 4  # conditions that select all or none would prove little


def stages(plan: Any) -> list[dict[str, Any]]:
    """Every stage of a plan that explain answers."""
    if isinstance(plan, list):
        return [stage for each in plan for stage in stages(each)]
    if not isinstance(plan, dict):
        return []
    return ([plan] if "stage" in plan else []) + stages(list(plan.values()))


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("resource", "text", "index"),
    [
        (PERSON, "identifier eq 'crm:1x1'", "match_keys_1"),
        (PERSON, "identifier eq 'ns:7'", "match_keys_1"),
        (OUTREACH, "identifier eq 'ns:7'", "match_keys_1"),
        (PERSON, "startswith(identifier,'crm:1x')", "match_keys_1"),
        (PERSON, "identifier ge 'ns:98' and identifier lt 'ns:99'", "match_keys_1"),
        (PERSON, "email_address eq 'o''BRIEN@x.org'", "contact_keys_1"),
        (PERSON, "email_address like 'o''brien@x.org'", "contact_keys_1"),
        (PERSON, "startswith(email_address,'O''Brien@x')", "contact_keys_1"),
        (PERSON, "phone_number eq '+49 30 901820'", "contact_keys_1"),
        (PERSON, "startswith(phone_number,'+49 30')", "contact_keys_1"),
        (PERSON, "email_address eq 'jane@x.org' and given_name eq 'Jane'", "contact_keys_1"),
        (PERSON, "family_name eq 'Jon'", "name_words_1__id_1"),
        (PERSON, "given_name like 'JON'", "name_words_1__id_1"),
        (PERSON, "startswith(family_name,'Jon')", "name_words_1__id_1"),
    ],
)
def test_what_sync_scripts_ask_runs_on_an_index(
    resource: Resource, text: str, index: str, database: Database, filled: dict[Resource, list[dict[str, Any]]]
) -> None:
    query = to_query(text, FILTER_FIELDS[resource], RULES)
    explained = database[resource.collection].find(query).explain()

    used = stages(explained["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in {stage["stage"] for stage in used}
    assert index in {stage.get("indexName") for stage in used}
    assert 0 < explained["executionStats"]["totalKeysExamined"] < DOCUMENTS / 2


def test_mongodb_accepts_the_deepest_filter(database: Database) -> None:
    deepest = "source eq 'a'"
    for level in range(MAX_DEPTH):
        also = "source eq 'c' and " if level < MAX_CONDITIONS - MAX_DEPTH - 1 else ""
        deepest = f"source eq 'b' or {also}not ({deepest})"
    query = to_query(deepest, FILTER_FIELDS[PERSON], RULES)

    with pytest.raises(OsdiError, match="conditions"):
        to_query(f"{deepest} and source eq 'a'", FILTER_FIELDS[PERSON], RULES)
    with pytest.raises(OsdiError, match="deep"):
        to_query(f"({deepest})", FILTER_FIELDS[PERSON], RULES)
    assert list(database[PERSON.collection].find({"$and": [query, {"_id": {"$gt": ""}}]})) == []


def test_mongodb_accepts_the_longest_pattern(database: Database) -> None:
    for text in (f"contains(source,'{'.' * 1900}')", f"contains(email_address,'{chr(0xFDFA) * 254}')"):
        assert list(database[PERSON.collection].find(to_query(text, FILTER_FIELDS[PERSON], RULES))) == []
