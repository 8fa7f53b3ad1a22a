"""Data of the loaded people, computed from a person's number, so that a benchmark can query any person.

The number decides the names, contact details and identifiers. It also decides the shape: which of these the person has,
and if there are tags, lists and answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench import bodies

Document = dict[str, Any]

# Number of the first loaded person: always eight digits, so that phone numbers keep their length.
FIRST: Final = 10_000_000
TAGS: Final = ("caller", "volunteer", "donor")
LIST: Final = "newsletter"

GIVEN: Final = ("Jane", "John", "Amina", "Wei", "Zoé", "Olga", "Luis", "Priya", "Tom", "Ngozi", "Ada")
FAMILY: Final = ("Smith", "O'Brien", "Okafor", "Nguyen", "García", "Müller", "Ivanova", "Rossi", "Kim")
MARKS: Final = ("@given@", "@family@", "@postal@")
# Placeholders for names and postal code in the person of a template.
GIVEN_MARK, FAMILY_MARK, POSTAL_MARK = MARKS
# After this number of people, names and postal codes repeat (least common multiple of 11, 9 and 90,000).
NAMESAKES: Final = 990_000


@dataclass(frozen=True)
class Shape:
    """Kind of person: percentage of all people, identifying data that they have, and tags, lists and answers.

    With `token` the post had a token, and the person has an identifier.
    """

    percent: int
    token: bool = True
    email: bool = True
    phone: bool = True
    tags: tuple[str, ...] = ()
    lists: bool = False
    answers: bool = False


SHAPES: Final = (
    Shape(38),
    Shape(15, tags=TAGS[:1], lists=True),
    Shape(10, tags=TAGS[:2], lists=True, answers=True),
    Shape(10, phone=False),
    Shape(7, email=False, tags=TAGS[:1]),
    Shape(15, token=False),
    Shape(5, token=False, phone=False, tags=TAGS[:1], lists=True),
)
_SHAPE_OF: Final = tuple(shape for shape in SHAPES for _ in range(shape.percent))


def shape_of(number: int) -> Shape:
    """Returns the shape of a loaded person. People with successive numbers have different shapes."""
    return _SHAPE_OF[number * 37 % len(_SHAPE_OF)]


def identifier(number: int) -> str:
    """Returns the identifier of a loaded person. Only people with `Shape.token` have one."""
    return f"crm:{number}"


def email(number: int) -> str:
    """Returns the e-mail address of a loaded person."""
    return f"loaded-{number}@example.com"


def phone(number: int) -> str:
    """Returns the phone number of a loaded person: eleven digits."""
    return f"120{number}"


def outreach_identifier(number: int) -> str:
    """Returns the identifier of the outreach that created a person. Only people with `Shape.token` have one."""
    return f"crm:outreach-{number}"


def helper_body(number: int, question: str) -> Document:
    """Returns the helper's body that created person `number`. Posting it again changes nothing about the person.

    It has no outreach identifier, so each post creates a new outreach.
    """
    return body(number, shape_of(number), question, values(number))


def values(number: int) -> dict[str, str]:
    """Returns the text of person `number` for each mark."""
    return {
        GIVEN_MARK: GIVEN[number % len(GIVEN)],
        FAMILY_MARK: FAMILY[number % len(FAMILY)],
        POSTAL_MARK: str(10_000 + number % 90_000),
    }


def body(number: int, shape: Shape, question: str, texts: Mapping[str, str]) -> Document:
    """Returns the helper's body for a person of this number and shape, with these texts for the marks."""
    person = bodies.person("", identifiers=False)
    person |= {"given_name": texts[GIVEN_MARK], "family_name": texts[FAMILY_MARK]}
    person["postal_addresses"][0]["postal_code"] = texts[POSTAL_MARK]
    person["email_addresses"][0]["address"] = email(number)
    person["phone_numbers"][0]["number"] = phone(number)
    if shape.token:
        person["identifiers"] = [identifier(number)]
    for array, present in (("email_addresses", shape.email), ("phone_numbers", shape.phone)):
        if not present:
            del person[array]
    posted = {"person": person, **bodies.outreach(identifiers=False)}
    if shape.tags:
        posted["add_tags"] = list(shape.tags)
    if shape.lists:
        posted["add_lists"] = [LIST]
    if shape.answers:
        posted["add_questions_responses_uri"] = [{"question": question, "responses": ["river"]}]
    return posted
