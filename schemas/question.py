"""A question (`questions.md`) with the responses that it accepts; its fields are in osdi.fields.question."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from osdi.fields.definition import required
from osdi.fields.question import CHOICES, QUESTION_FIELDS
from schemas.base.common import RequiredFields, ResourceSchema, links


class QuestionSchema(ResourceSchema, RequiredFields):
    """A question. A choice has responses with unique keys; a paragraph has no responses."""

    rel = "osdi:question"
    table = QUESTION_FIELDS
    needs = required(QUESTION_FIELDS)
    unlimited_in_responses = ("identifiers", "responses")
    _links = links("self", "osdi:answers")

    def check_whole(self, question: Mapping[str, Any]) -> None:
        """Checks a question after the change by a PUT. Raises ValidationError."""
        self.validate_responses(question)

    @ma.validates_schema(skip_on_field_errors=True)
    def validate_responses(self, data: Mapping[str, Any], **_: Any) -> None:
        keys = [response.get("key") for response in data.get("responses", ())]
        question_type = data.get("question_type")
        if question_type in CHOICES and not keys:
            raise ma.ValidationError("A choice needs responses.", "responses")
        if question_type not in CHOICES and keys:
            raise ma.ValidationError("A question of type Paragraph has no responses.", "responses")
        if len(set(keys)) != len(keys):
            raise ma.ValidationError("Two responses have the same key.", "responses")
