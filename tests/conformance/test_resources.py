"""The definitions of resources match the standard's pages and the schemas."""

import marshmallow as ma
import pytest

from osdi.resources import (
    ADVOCACY_CAMPAIGN,
    ANSWER,
    ITEM,
    LIST,
    MESSAGE,
    OUTREACH,
    PERSON,
    QUESTION,
    RESOURCES,
    TAG,
    TAGGING,
    WRAPPER,
    Resource,
)
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.list import ListSchema
from schemas.message import MessageSchema
from schemas.outreach import OutreachSchema
from schemas.person import PersonSchema
from schemas.question import QuestionSchema
from schemas.subresources import AnswerSchema, ItemSchema, TaggingSchema
from schemas.tag import TagSchema
from schemas.wrapper import WrapperSchema

SCHEMAS: list[tuple[Resource, type[ma.Schema]]] = [
    (PERSON, PersonSchema),
    (OUTREACH, OutreachSchema),
    (ADVOCACY_CAMPAIGN, AdvocacyCampaignSchema),
    (TAG, TagSchema),
    (LIST, ListSchema),
    (QUESTION, QuestionSchema),
    (MESSAGE, MessageSchema),
    (WRAPPER, WrapperSchema),
    (TAGGING, TaggingSchema),
    (ITEM, ItemSchema),
    (ANSWER, AnswerSchema),
]
COMMON = {"identifiers", "created_date", "modified_date", "control", "_links", "pointing"}


@pytest.mark.parametrize(("resource", "schema"), SCHEMAS, ids=[each.name for each, _ in SCHEMAS])
def test_a_resource_and_its_schema_have_the_same_fields(resource: Resource, schema: type[ma.Schema]) -> None:
    assert set(resource.fields) == {field.attribute or name for name, field in schema().fields.items()} - COMMON


def test_every_resource_has_a_schema() -> None:
    assert {resource for resource, _ in SCHEMAS} == set(RESOURCES)


def test_relations_have_the_standards_prefix() -> None:
    assert (PERSON.rel, PERSON.collection_rel) == ("osdi:person", "osdi:people")
