"""A question (`questions.md`) with the responses that it accepts."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from schemas.base.common import RequiredFields, ResourceSchema, links
from schemas.base.fields import Enum, Objects, Text
from schemas.base.limits import LINE_LENGTH, RESPONSES

CHOICES = ("SingleChoice", "MultiChoice")


class ResponseSchema(RequiredFields):
    """A response that a question accepts."""

    needs = ("key",)

    key = Text(max_length=LINE_LENGTH, metadata={"description": "Required, and unique among the responses."})
    name = Text(max_length=LINE_LENGTH)
    title = Text(max_length=LINE_LENGTH)


class QuestionSchema(ResourceSchema, RequiredFields):
    """A question; a choice has responses with unique keys, a paragraph has none."""

    rel = "osdi:question"
    needs = ("question_type",)
    adding_up = ("identifiers", "responses")

    origin_system = Text(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH)
    title = Text(max_length=LINE_LENGTH)
    description = Text()
    summary = Text()
    question_type = Enum("Paragraph", *CHOICES, metadata={"description": "Required."})
    responses = Objects(
        ResponseSchema,
        limit=RESPONSES,
        metadata={"description": "What a choice accepts. A paragraph has none."},
    )
    _links = links("self", "osdi:answers")

    def check_whole(self, question: Mapping[str, Any]) -> None:
        """Check a question that a PUT has changed; merging may have gathered any number of responses.

        Raises ValidationError.
        """
        self.responses_fit_the_type(question)

    @ma.validates_schema(skip_on_field_errors=True)
    def responses_fit_the_type(self, data: Mapping[str, Any], **_: Any) -> None:
        keys = [response.get("key") for response in data.get("responses", ())]
        question_type = data.get("question_type")
        if question_type in CHOICES and not keys:
            raise ma.ValidationError("A choice needs responses.", "responses")
        if question_type not in CHOICES and keys:
            raise ma.ValidationError("A question of type Paragraph has no responses.", "responses")
        if len(set(keys)) != len(keys):
            raise ma.ValidationError("Two responses have the same key.", "responses")
