"""Who the loaded people are: by their number alone, so that whoever knows it knows what to ask for.

The number decides names, contact details and identifiers, and the shape: which of these somebody has, and what else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench import bodies

Document = dict[str, Any]

# Loaded people are numbered from here on: always eight digits, so that phone numbers keep their length.
FIRST: Final = 10_000_000
TAGS: Final = ("caller", "volunteer", "donor")
LIST: Final = "newsletter"

GIVEN: Final = ("Jane", "John", "Amina", "Wei", "Zoé", "Olga", "Luis", "Priya", "Tom", "Ngozi", "Ada")
FAMILY: Final = ("Smith", "O'Brien", "Okafor", "Nguyen", "García", "Müller", "Ivanova", "Rossi", "Kim")
MARKS: Final = ("@given@", "@family@", "@postal@")
# What the person of a template has instead of names and a postal code.
GIVEN_MARK, FAMILY_MARK, POSTAL_MARK = MARKS
# From so many people on each has the name and postal code of an earlier one.
NAMESAKES: Final = 990_000


@dataclass(frozen=True)
class Shape:
    """What some of the people have: how many in a hundred, by which of their details they are known, and what else."""

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
# The number of a person decides their shape, so that whoever knows the number knows what the person has.
_SHAPE_OF: Final = tuple(shape for shape in SHAPES for _ in range(shape.percent))


def shape_of(number: int) -> Shape:
    """The shape of a loaded person. Neighbours differ."""
    return _SHAPE_OF[number * 37 % len(_SHAPE_OF)]


def identifier(number: int) -> str:
    """The identifier of a loaded person, which those have who came with a token."""
    return f"crm:{number}"


def email(number: int) -> str:
    """The e-mail address of a loaded person."""
    return f"loaded-{number}@example.com"


def phone(number: int) -> str:
    """The phone number of a loaded person: eleven digits."""
    return f"120{number}"


def outreach_identifier(number: int) -> str:
    """The identifier of the outreach with which a person came, which those have who came with a token."""
    return f"crm:outreach-{number}"


def helper_body(number: int, question: str) -> Document:
    """The helper's body by which person `number` came; a later one like it says nothing new of the person.

    It has no identifiers of the outreach, so that it is a new one each time.
    """
    return body(number, shape_of(number), question, values(number))


def values(number: int) -> dict[str, str]:
    """What person `number` has instead of each mark."""
    return {
        GIVEN_MARK: GIVEN[number % len(GIVEN)],
        FAMILY_MARK: FAMILY[number % len(FAMILY)],
        POSTAL_MARK: str(10_000 + number % 90_000),
    }


def body(number: int, shape: Shape, question: str, texts: Mapping[str, str]) -> Document:
    """The helper's body by which somebody of this number and shape comes."""
    person = bodies.person("", identifiers=False)
    person |= {"given_name": texts[GIVEN_MARK], "family_name": texts[FAMILY_MARK]}
    person["postal_addresses"][0]["postal_code"] = texts[POSTAL_MARK]
    person["email_addresses"][0]["address"] = email(number)
    person["phone_numbers"][0]["number"] = phone(number)
    if shape.token:
        person["identifiers"] = [identifier(number)]
    for array, there in (("email_addresses", shape.email), ("phone_numbers", shape.phone)):
        if not there:
            del person[array]
    found = {"person": person, **bodies.outreach(identifiers=False)}
    if shape.tags:
        found["add_tags"] = list(shape.tags)
    if shape.lists:
        found["add_lists"] = [LIST]
    if shape.answers:
        found["add_questions_responses_uri"] = [{"question": question, "responses": ["river"]}]
    return found
