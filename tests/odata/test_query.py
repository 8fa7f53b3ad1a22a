"""The filter language: the query of each text, and the error of each invalid text."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
from bson import encode
from hypothesis import example, given, settings
from hypothesis import strategies as st

from osdi.errors import OsdiError
from osdi.match_keys import MatchKeyRules
from osdi.odata.fields import TYPES
from osdi.odata.osdi_fields import FILTER_FIELDS
from osdi.odata.parser import MAX_CONDITIONS, MAX_DEPTH, MAX_FILTER_LENGTH
from osdi.odata.query import to_query
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER, Resource
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base import fields as types
from schemas.list import ListSchema
from schemas.message import MessageSchema
from schemas.outreach import OutreachSchema
from schemas.person import PersonSchema
from schemas.question import QuestionSchema
from schemas.tag import TagSchema
from schemas.wrapper import WrapperSchema
from tests.support.factories import RULES

SIX_PM = dt.datetime(2013, 11, 17, 23, 27, 35)  # 18:27:35 in New York


def people(text: str, region: str = "") -> dict[str, Any]:
    return to_query(text, FILTER_FIELDS[PERSON], MatchKeyRules("ns", region))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        # The standard's own examples, aliases and all.
        ("first_name eq 'John'", {"given_name": "John"}),
        ("first_name ne 'John'", {"given_name": {"$ne": "John"}}),
        ("birthdate/month gt 1980", {"birthdate.month": {"$gt": 1980}}),
        ("birthdate/year lt 1980", {"birthdate.year": {"$lt": 1980}}),
        ("created ge '2013-11-17T18:27:35-05'", {"created_date": {"$gte": SIX_PM}}),
        ("created le '2013-11-17T18:27:35-05'", {"created_date": {"$lte": SIX_PM}}),
        ("first_name eq 'John' or first_name eq 'Jon'", {"$or": [{"given_name": "John"}, {"given_name": "Jon"}]}),
        ("first_name eq 'John' and last_name eq 'Doe'", {"$and": [{"given_name": "John"}, {"family_name": "Doe"}]}),
        ("first_name like 'john'", {"given_name": {"$regex": "^john(?!.)", "$options": "is"}}),
        (
            "gender eq 'Male' and address.postal_code eq '10011'",
            {"$and": [{"gender": "Male"}, {"postal_addresses.postal_code": "10011"}]},
        ),
        ("email_address eq 'jane@example.com'", {"contact_keys": "email:jane@example.com"}),
        # Precedence: not, then comparison, then and, then or.
        (
            "gender eq 'Male' or gender eq 'Other' and source eq 'a'",
            {"$or": [{"gender": "Male"}, {"$and": [{"gender": "Other"}, {"source": "a"}]}]},
        ),
        (
            "(gender eq 'Male' or gender eq 'Other') and source eq 'a'",
            {"$and": [{"$or": [{"gender": "Male"}, {"gender": "Other"}]}, {"source": "a"}]},
        ),
        ("not source eq 'a' and source eq 'b'", {"$and": [{"$nor": [{"source": "a"}]}, {"source": "b"}]}),
        ("not (source eq 'a' and source eq 'b')", {"$nor": [{"$and": [{"source": "a"}, {"source": "b"}]}]}),
        ("not (not (source eq 'a'))", {"$nor": [{"$nor": [{"source": "a"}]}]}),
        ("((source eq 'a'))", {"source": "a"}),
        # Words: keywords in any case, values on either side, space where it helps.
        ("NOT source EQ 'a' Or source Eq 'b'", {"$or": [{"$nor": [{"source": "a"}]}, {"source": "b"}]}),
        ("'a' eq source", {"source": "a"}),
        ("1980 le birthdate/year", {"birthdate.year": {"$gte": 1980}}),
        ("1980 gt birthdate/year", {"birthdate.year": {"$lt": 1980}}),
        ("  source\n\teq'a'", {"source": "a"}),
        ("", {}),
        ("  ", {}),
        # Values.
        ("family_name eq 'O''Brien'", {"family_name": "O'Brien"}),
        ("family_name eq ''''", {"family_name": "'"}),
        ("family_name eq ''", {"family_name": ""}),
        ("family_name eq '$where'", {"family_name": "$where"}),
        ("family_name eq '{\"$gt\": 1}'", {"family_name": '{"$gt": 1}'}),
        ("family_name eq 'a and b or (c)'", {"family_name": "a and b or (c)"}),
        ("family_name eq 'Ærø 江'", {"family_name": "Ærø 江"}),
        ("birthdate/year eq -5", {"birthdate.year": -5}),
        ("postal_addresses/location/latitude gt -1.5", {"postal_addresses.location.latitude": {"$gt": -1.5}}),
        ("phone_numbers/do_not_call eq TRUE", {"phone_numbers.do_not_call": True}),
        ("phone_numbers/do_not_call ne false", {"phone_numbers.do_not_call": {"$ne": False}}),
        # Dates: quoted or not, with any offset or none, as they are stored.
        ("modified_date gt 2013-11-17T23:27:35Z", {"modified_date": {"$gt": SIX_PM}}),
        ("modified_date gt 2013-11-17T18:27:35-05:00", {"modified_date": {"$gt": SIX_PM}}),
        ("modified_date gt 2013-11-18T00:27:35+0100", {"modified_date": {"$gt": SIX_PM}}),
        ("modified_date gt 2013-11-18T00:27:35 01:00", {"modified_date": {"$gt": SIX_PM}}),
        ("modified_date gt '2013-11-18T00:27:35 01:00'", {"modified_date": {"$gt": SIX_PM}}),
        ("modified_date eq '2013-11-17 23:27:35'", {"modified_date": SIX_PM}),
        ("modified_date lt 2013-11-17", {"modified_date": {"$lt": dt.datetime(2013, 11, 17)}}),
        ("created eq '2013-11-17T23:27:35.0019Z'", {"created_date": SIX_PM.replace(microsecond=1000)}),
        # Missing values.
        ("family_name eq null", {"family_name": {"$not": {"$type": "string"}}}),
        ("null ne family_name", {"family_name": {"$type": "string"}}),
        ("birthdate/day eq null", {"birthdate.day": {"$not": {"$type": "number"}}}),
        ("parties/active ne null", {"parties.active": {"$type": "bool"}}),
        ("parties/last_verified_date ne null", {"parties.last_verified_date": {"$type": "date"}}),
        ("email_address eq null", {"email_addresses.address": {"$not": {"$type": "string"}}}),
        # Functions, and letter case.
        ("startswith(given_name, 'Ja')", {"given_name": {"$regex": "^Ja", "$options": "s"}}),
        ("endswith(given_name,'e')", {"given_name": {"$regex": "e(?!.)", "$options": "s"}}),
        ("contains(given_name,'a.b*')", {"given_name": {"$regex": r"a\.b\*", "$options": "s"}}),
        ("substringof('an', given_name)", {"given_name": {"$regex": "an", "$options": "s"}}),
        ("StartsWith (given_name,'Ja')", {"given_name": {"$regex": "^Ja", "$options": "s"}}),
        ("not contains(given_name,'a')", {"$nor": [{"given_name": {"$regex": "a", "$options": "s"}}]}),
        ("tolower(given_name) eq 'john'", {"given_name": {"$regex": "^john(?!.)", "$options": "is"}}),
        ("tolower(given_name) eq tolower('John')", {"given_name": {"$regex": "^john(?!.)", "$options": "is"}}),
        ("tolower(given_name) ne 'a'", {"$nor": [{"given_name": {"$regex": "^a(?!.)", "$options": "is"}}]}),
        ("tolower(tolower(given_name)) eq 'a'", {"given_name": {"$regex": "^a(?!.)", "$options": "is"}}),
        ("given_name eq tolower('JOHN')", {"given_name": "john"}),
        ("contains(tolower(given_name),'an')", {"given_name": {"$regex": "an", "$options": "is"}}),
        ("given_name like 'J%n_'", {"given_name": {"$regex": "^J%n_(?!.)", "$options": "is"}}),
        # Paths.
        ("custom_fields/age eq '5'", {"custom_fields.age": "5"}),
        ("custom_fields.age eq '5'", {"custom_fields.age": "5"}),
        ("custom_fields/t-shirt eq 'M'", {"custom_fields.t-shirt": "M"}),
        ("custom_fields/crm:size eq 'M'", {"custom_fields.crm:size": "M"}),
        ("custom_fields/größe eq 'M'", {"custom_fields.größe": "M"}),
        ("custom_fields/2020 eq 'M'", {"custom_fields.2020": "M"}),
        ("custom_fields/and eq 'M'", {"custom_fields.and": "M"}),
        ("custom_fields/'shirt size' eq 'M'", {"custom_fields.shirt size": "M"}),
        ("custom_fields/'a/b''s' eq 'M'", {"custom_fields.a/b's": "M"}),
        ("email_addresses/status eq 'subscribed'", {"email_addresses.status": "subscribed"}),
        ("division_info.divisions/ocd_id eq 'x'", {"division_info.divisions.ocd_id": "x"}),
        # Fields that are compared by key.
        ("identifier eq 'crm:1'", {"match_keys": "id:crm:1"}),
        ("identifiers ne 'crm:1'", {"match_keys": {"$ne": "id:crm:1"}}),
        ("identifier like 'CRM:1'", {"match_keys": {"$regex": "^id:CRM:1(?!.)", "$options": "is"}}),
        ("startswith(identifier,'crm:')", {"match_keys": {"$regex": "^id:crm:", "$options": "s"}}),
        ("endswith(identifier,':1')", {"match_keys": {"$regex": "^id:.*:1(?!.)", "$options": "s"}}),
        ("identifier ge 'crm:'", {"match_keys": {"$elemMatch": {"$gte": "id:crm:", "$lt": "id;"}}}),
        ("identifier lt 'crm:'", {"match_keys": {"$elemMatch": {"$lt": "id:crm:", "$gte": "id:"}}}),
        ("email_address eq ' Jane@Example.com '", {"contact_keys": "email:jane@example.com"}),
        ("email_address ne 'Jane@Example.com'", {"contact_keys": {"$ne": "email:jane@example.com"}}),
        ("email_address like 'Jane@Example.com'", {"contact_keys": "email:jane@example.com"}),
        ("tolower(email_address) eq 'JANE@example.com'", {"contact_keys": "email:jane@example.com"}),
        ("email_addresses/address eq 'A@b.org'", {"contact_keys": "email:a@b.org"}),
        ("startswith(email_address,'Jane')", {"contact_keys": {"$regex": "^email:jane", "$options": "s"}}),
        ("endswith(email_address,'@B.org')", {"contact_keys": {"$regex": r"^email:.*@b\.org(?!.)", "$options": "s"}}),
        ("contains(email_address,'B')", {"contact_keys": {"$regex": "^email:.*b", "$options": "s"}}),
        ("phone_number eq '+1 (987) 654-3210'", {"contact_keys": "phone:19876543210"}),
        ("phone_number ne '1-987-654-3210'", {"contact_keys": {"$ne": "phone:19876543210"}}),
        ("phone_number eq '911'", {"phone_numbers.number": "911"}),
        ("startswith(phone_number,'+1 (987)')", {"contact_keys": {"$regex": "^phone:1987", "$options": "s"}}),
        ("contains(phone_number,'00 9')", {"contact_keys": {"$regex": "^phone:.*009", "$options": "s"}}),
        ("endswith(phone_number,'3210')", {"contact_keys": {"$regex": "^phone:.*3210(?!.)", "$options": "s"}}),
    ],
)
def test_a_filter_becomes_a_query(text: str, query: dict[str, Any]) -> None:
    assert without_words(people(text)) == query


def without_words(query: Any) -> Any:
    """Returns a query without the conditions that only add an index to one on a name."""
    match query:
        case {"$and": [{"name_words": _}, condition]}:
            return condition
        case {"$and": several}:
            return {"$and": [without_words(each) for each in several]}
        case {"$or": several}:
            return {"$or": [without_words(each) for each in several]}
        case {"$nor": several}:
            return {"$nor": [without_words(each) for each in several]}
    return query


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("family_name eq 'O''Brien'", "obrien"),
        ("last_name eq 'Smith-Jones'", "smith"),
        ("given_name eq '- Zoë Ann'", "zoe"),
        ("additional_name eq 'Ann'", "ann"),
        ("startswith(family_name,'Ki')", {"$regex": "^ki"}),
        ("startswith(family_name,'Van d')", "van"),
        ("startswith(family_name,'Van ')", "van"),
        ("startswith(family_name,'- Van')", {"$regex": "^van"}),
        ("startswith(tolower(family_name),'Ki')", {"$regex": "^ki"}),
        ("family_name like 'KIM'", "kim"),
        ("tolower(family_name) eq 'kim'", "kim"),
        ("family_name eq 'Ærø'", "ærø"),
        ("family_name like 'Ærø'", None),
        ("family_name eq '-'", None),
        ("family_name eq ''", None),
        ("family_name ne 'Kim'", None),
        ("family_name gt 'Kim'", None),
        ("contains(family_name,'Kim')", None),
        ("endswith(family_name,'Kim')", None),
        ("custom_fields/family_name eq 'Kim'", None),
    ],
)
def test_a_condition_on_a_name_has_its_first_word(text: str, words: object) -> None:
    match people(text):
        case {"$and": [{"name_words": found}, _]}:
            assert found == words
        case _:
            assert words is None


def test_a_phone_number_is_read_in_the_configured_region() -> None:
    assert people("phone_number eq '(987) 654-3210'", "US") == {"contact_keys": "phone:19876543210"}


@pytest.mark.parametrize(
    ("resource", "text", "query"),
    [
        (OUTREACH, "target_given_name eq 'Joe'", {"targets.given_name": "Joe"}),
        (OUTREACH, "target_family_name eq 'Joe'", {"targets.family_name": "Joe"}),
        (OUTREACH, "target_ocdid eq 'x'", {"targets.ocdid": "x"}),
        (OUTREACH, "referrer_data/source eq 'x'", {"referrer_data.source": "x"}),
        (OUTREACH, "duration ge 60", {"duration": {"$gte": 60}}),
        (OUTREACH, "action_date lt 2013-11-17", {"action_date": {"$lt": dt.datetime(2013, 11, 17)}}),
        (
            OUTREACH,
            "targets/email_addresses/address eq 'A@b.org'",
            {"targets.email_addresses.address": {"$regex": r"^A@b\.org(?!.)", "$options": "is"}},
        ),
        (ADVOCACY_CAMPAIGN, "identifier eq 'crm:1'", {"match_keys": "id:crm:1"}),
        (ADVOCACY_CAMPAIGN, "type eq 'email'", {"type": "email"}),
        (TAG, "name eq 'Volunteer'", {"name": "Volunteer"}),
        (LIST, "created gt 2013-11-17", {"created_date": {"$gt": dt.datetime(2013, 11, 17)}}),
        (QUESTION, "responses/key eq 'yes'", {"responses.key": "yes"}),
    ],
)
def test_filters_of_other_resources_become_queries(resource: Resource, text: str, query: dict[str, Any]) -> None:
    assert to_query(text, FILTER_FIELDS[resource], RULES) == query


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        # Syntax errors.
        ("given_name", 11, "an operator (eq, ne, gt, ge, lt, le, like) is expected, not the end"),
        ("given_name eq", 14, "a value (text in single quotes"),
        ("given_name = 'x'", 12, "operator"),
        ('given_name eq "x"', 15, "text in single quotes"),
        ("given_name eq 'x", 15, "not closed"),
        ("given_name eq 'O'Brien'", 18, "the end is expected, not Brien'"),
        ("given_name eq x", 15, "put text in single quotes"),
        ("given_name eq family_name", 15, "put text in single quotes"),
        ("'a' eq 'b'", 5, "one side of a comparison must be a field"),
        ("(source eq 'a'", 15, ") is expected, not the end"),
        ("source eq 'a')", 14, "the end is expected, not )"),
        ("source eq 'a' source eq 'b'", 15, "and or or"),
        ("not not source eq 'a'", 5, "not not"),
        ("and source eq 'a'", 1, "a field"),
        ("source eq 'a' or", 17, "a field"),
        ("custom_fields/shirt size eq 'M'", 21, "operator"),
        ("source eq 1.2.3", 11, "a value"),
        ("source eq 'a\x00'", 13, "cannot be stored"),
        ("source eq 'a\ud800'", 13, "cannot be stored"),
        ("$where eq 'x'", 1, "a field"),
        # Unknown fields.
        ("given_nam eq 'x'", 1, "no field given_nam to filter by; near are given_name"),
        ("source eq 'a' and birthday/year eq 1", 19, "near are birthdate/year"),
        ("birthdate eq 1", 1, "near are birthdate/month, birthdate/day, birthdate/year"),
        ("_id eq 'x'", 1, "no field _id"),
        ("match_keys eq 'x'", 1, "no field match_keys"),
        ("version eq 1", 1, "no field version"),
        ("custom_fields eq 'x'", 1, "custom_fields/'shirt size'"),
        ("custom_fields/a/b eq 'x'", 1, "custom_fields/'shirt size'"),
        (f"custom_fields/'{'a' * 201}' eq 'x'", 1, "custom_fields"),
        ("custom_fields/'' eq 'x'", 1, "custom_fields"),
        # Values of another type.
        ("given_name eq 5", 15, "given_name needs text in single quotes"),
        ("postal_code eq 10011", 16, "postal_code needs text in single quotes"),
        ("custom_fields/age eq 5", 22, "needs text in single quotes"),
        ("birthdate/year eq 'x'", 19, "birthdate/year needs a number"),
        ("birthdate/year eq true", 19, "needs a number"),
        ("birthdate/year eq 9223372036854775808", 19, "64 bits"),
        ("parties/active eq 'perhaps'", 19, "parties/active needs true or false"),
        ("parties/active eq 1", 19, "needs true or false"),
        ("created gt 'yesterday'", 12, "created needs an ISO 8601 date and time"),
        ("created gt 5", 12, "needs an ISO 8601 date and time"),
        ("created gt 2013-13-01", 12, "an ISO 8601 date and time"),
        ("created gt '0001-01-01T00:00:00+10:00'", 12, "needs an ISO 8601 date and time"),
        ("given_name eq 2013-11-17", 15, "needs text"),
        ("contains(phone_number,'abc')", 23, "phone_number needs digits"),
        (f"email_address eq '{'a' * 255}'", 18, "at most 254 characters"),
        # Operators and functions that a field or value does not support.
        ("given_name gt null", 12, "null can be compared with eq and ne, not with gt"),
        ("birthdate/year like 5", 16, "is not a text field, so like cannot be used with it"),
        ("tolower(given_name) gt 'a'", 21, "has no order here"),
        ("phone_number gt '1'", 14, "has no order here"),
        ("tolower(given_name)", 9, "tolower() returns a value"),
        ("tolower('a')", 9, "tolower() returns a value"),
        ("tolower(birthdate/year) eq 'a'", 1, "cannot be called like this"),
        ("tolower(given_name, 'a') eq 'a'", 1, "cannot be called like this"),
        ("startswith('a', given_name)", 1, "startswith cannot be called like this"),
        ("startswith(given_name)", 1, "startswith cannot be called like this"),
        ("contains(given_name, startswith(source, 'a'))", 1, "cannot be called like this"),
        ("contains(birthdate/year, 'a')", 1, "is not a text field, so contains cannot be used with it"),
        ("contains(given_name, 5)", 22, "needs text in single quotes"),
        ("contains(given_name, null)", 22, "needs text in single quotes"),
        ("contains(given_name,'a') eq true", 26, "cannot be compared; use it alone"),
        ("upper(given_name) eq 'A'", 1, "upper cannot be called like this; the functions are startswith"),
        # Parts of the language that are not supported.
        ("given_name re '/a/'", 12, "regular expressions are not supported"),
        ("source eq 'a' and first_name regexp '/[Rr]ob/'", 30, "regular expressions are not supported"),
        ("gender eq 'Female' and near('10011', '5 miles')", 24, "near() is not supported"),
        # Bounds.
        (f"source eq '{'a' * MAX_FILTER_LENGTH}'", MAX_FILTER_LENGTH + 1, "at most 2000 characters"),
        (f"{'(' * 33}source eq 'a'{')' * 33}", 33, "more than 32 deep"),
        (f"{'not (' * 33}source eq 'a'{')' * 33}", 33 * 5, "more than 32 deep"),
        ("(" * 2000, 33, "more than 32 deep"),
        (" or ".join(["source eq 'a'"] * 51), 50 * 17 + 8, "at most 50 conditions"),
        (" or ".join(["contains(source,'a')"] * 51), 50 * 24 + 1, "at most 50 conditions"),
    ],
)
def test_an_invalid_filter_is_rejected_with_column_and_reason(text: str, column: int, words: str) -> None:
    with pytest.raises(OsdiError) as caught:
        people(text)

    (description,) = caught.value.descriptions
    assert caught.value.status == 400
    assert description.properties == ("filter",)
    assert description.description.startswith(f"Column {column}: ")
    assert words in description.description


def test_a_computed_field_is_rejected_with_the_reason() -> None:
    with pytest.raises(OsdiError, match="total_outreaches cannot be filtered by: it is counted"):
        to_query("total_outreaches gt 5", FILTER_FIELDS[ADVOCACY_CAMPAIGN], RULES)


def test_a_filter_up_to_the_limits_is_accepted() -> None:
    assert people(f"{'(' * MAX_DEPTH}source eq 'a'{')' * MAX_DEPTH}") == {"source": "a"}
    assert people(" or ".join(["source eq 'a'"] * MAX_CONDITIONS)) == {"$or": [{"source": "a"}] * MAX_CONDITIONS}
    assert people("tolower(" * MAX_DEPTH + "source" + ")" * MAX_DEPTH + " eq 'a'")


FIELDS = "given_name birthdate/year created custom_fields/a email_address phone_number identifier parties/active"
REST = (
    "eq ne gt like re and or not ( ) , startswith( contains( tolower( near( null true 5 -1.5 'x' 'O''B' 2013-11-17 ' /"
)
WORDS = st.sampled_from([*FIELDS.split(), *REST.split()])


@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=st.text() | st.lists(WORDS, max_size=30).map(" ".join), resource=st.sampled_from(list(FILTER_FIELDS)))
@example(text="not (" * 400, resource=PERSON)
@example(text="tolower(" * 250, resource=PERSON)
@example(text="email_address eq '" + "\ufdfa" * 254 + "'", resource=PERSON)
@example(text="startswith(email_address,'" + "a@xn--" * 42 + "')", resource=PERSON)
@example(text="birthdate/year eq " + "9" * 1900 + ".5", resource=PERSON)
@example(text="birthdate/year eq ٣", resource=PERSON)
def test_any_text_is_a_query_or_a_400(text: str, resource: Resource) -> None:
    try:
        query, status = to_query(text, FILTER_FIELDS[resource], RULES), 200
    except OsdiError as error:
        query, status = error.body(), error.status

    assert status in (200, 400)
    assert len(encode(query)) < 32_000  # BSON can encode it, and it is at most a few times as large as the text


SCHEMAS: list[tuple[Resource, type[ma.Schema]]] = [
    (PERSON, PersonSchema),
    (OUTREACH, OutreachSchema),
    (ADVOCACY_CAMPAIGN, AdvocacyCampaignSchema),
    (TAG, TagSchema),
    (LIST, ListSchema),
    (QUESTION, QuestionSchema),
    (MESSAGE, MessageSchema),
    (WRAPPER, WrapperSchema),
]
# Properties without a filter: links, numbers that are counted when they are read, and properties of sending.
NOT_FILTERED = {"identifiers", "control", "pointing", "_links", "custom_fields", "total_outreaches", "total_items"}
NOT_FILTERED |= {"total_targeted", "statistics"}
TYPE_OF = {
    types.Text: {"string", "email", "phone"},
    types.Strings: {"string"},
    types.WholeNumber: {"integer"},
    ma.fields.Float: {"number"},
    types.Bool: {"boolean"},
    types.DateTime: {"date"},
}


def scalar_fields(schema: ma.Schema, within: str = "") -> dict[str, set[str]]:
    """Returns the scalar properties of a schema and of the objects and arrays in it, with the types they may have."""
    found: dict[str, set[str]] = {}
    for name, field in schema.fields.items():
        name = field.attribute or name
        inner = field.inner if isinstance(field, types.Objects) else field
        if name in NOT_FILTERED or field.load_only:
            continue
        if isinstance(inner, ma.fields.Nested):
            found |= scalar_fields(inner.schema, f"{within}{name}/")
        else:
            found[within + name] = next(kinds for kind, kinds in TYPE_OF.items() if isinstance(inner, kind))
    return found


@pytest.mark.parametrize(("resource", "schema"), SCHEMAS, ids=[each.name for each, _ in SCHEMAS])
def test_every_scalar_field_of_a_schema_can_be_filtered_by(resource: Resource, schema: type[ma.Schema]) -> None:
    fields, plain = FILTER_FIELDS[resource].fields, scalar_fields(schema())

    assert plain.keys() <= fields.keys()
    assert {name for name, kinds in plain.items() if fields[name].type not in kinds} == set()
    paths = {name.replace("/", ".") for name in plain} | {"match_keys", "targets", "own_words", "new_person"}
    assert {name for name, field in fields.items() if field.path not in paths} == set()


def documented() -> dict[str, dict[str, str]]:
    """Returns the tables of docs/filtering.md: by heading, the type of each name."""
    page = (Path(__file__).parents[2] / "docs" / "filtering.md").read_text()
    sections = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    return {
        section.split("\n", 1)[0].strip("` "): dict(re.findall(r"^\| `(.+?)` \| (.+?) \|", section, re.MULTILINE))
        for section in sections
    }


@pytest.mark.parametrize("resource", FILTER_FIELDS, ids=[each.name for each in FILTER_FIELDS])
def test_the_page_for_users_lists_every_field(resource: Resource) -> None:
    known = FILTER_FIELDS[resource]
    names = {name: field.type for name, field in known.fields.items()}
    names |= {f"{name}/...": kind for name, kind in known.open_objects.items()}
    names |= {alias: f"as `{name}`" for alias, name in known.aliases.items()}

    assert documented()[resource.collection] == names


def test_every_type_is_used() -> None:
    assert {field.type for known in FILTER_FIELDS.values() for field in known.fields.values()} == set(TYPES)
