"""Fields of a question (`questions.md`)."""

from typing import Final

from osdi.fields.definition import ORIGIN_SYSTEM, Enum, Objects, ObjectType, Table, Text
from osdi.fields.limits import MAX_LINE_LENGTH, MAX_RESPONSES

CHOICES: Final = ("SingleChoice", "MultiChoice")

RESPONSE: Final = ObjectType(
    "Response",
    "A response that a question accepts.",
    (
        Text("key", MAX_LINE_LENGTH, required=True, description="Required, and unique among the responses."),
        Text("name", MAX_LINE_LENGTH, description="Short text of the response, for staff."),
        Text("title", MAX_LINE_LENGTH, description="Text of the response, for readers."),
    ),
)

QUESTION_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", MAX_LINE_LENGTH, description="Name of the question, for staff."),
    Text("title", MAX_LINE_LENGTH, description="The question as readers see it."),
    Text("description", description="Explanation of the question."),
    Text("summary", description="Short explanation."),
    Enum("question_type", ("Paragraph", *CHOICES), required=True, description="Required."),
    Objects(
        "responses",
        RESPONSE,
        MAX_RESPONSES,
        same_by=(("key",),),
        description="Accepted responses of a choice. A paragraph has none.",
    ),
)
