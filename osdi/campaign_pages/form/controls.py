"""The controls of a campaign's form: their names, and which of them a supporter has to fill.

A control for a contact detail is named like the person's property in the helper's JSON, such as
`person.email_address`; that of a question `answers.` and the question's id.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from osdi.campaign_pages.page_settings import FORM_FIELDS, POSTAL_CODE, PageSettings
from osdi.documents import Find, ReadOnlyDocument
from osdi.fields.question import CHOICES
from osdi.resources import QUESTION

PERSON: Final = "person."
ANSWERS: Final = "answers."
NAMES: Final = (f"{PERSON}given_name", f"{PERSON}family_name")
PERSON_CONTROLS: Final = tuple(f"{PERSON}{name}" for name in FORM_FIELDS)
EMAIL_ADDRESS: Final = f"{PERSON}email_address"
FORM_TOKEN: Final = "form_token"  # noqa: S105  # a name, not a secret
CONFIRMED: Final = "confirmed"
REDIRECT: Final = "redirect"
# The controls that say where a supporter came from.
CAMPAIGN_SOURCES: Final = ("source", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
SOURCES: Final = (*CAMPAIGN_SOURCES, "referrer", "website", "url")
# Those of the other parts of the form.
PARTS: Final = ("target", "template", "message", "prompt", "consent", "consent_text")


class Form(Protocol):
    """A submitted form: the values of its controls by name, as in werkzeug's MultiDict."""

    def getlist(self, key: str, /) -> list[str]: ...

    def __iter__(self) -> Iterator[str]: ...


@dataclass(frozen=True)
class Control:
    """A control of the form: a contact detail of FORM_FIELDS, or an answer to a question.

    `label` is the organisation's own text, or None for ours. `one_of_names` is True for a name that is needed unless
    the supporter gives the other one.
    """

    name: str
    required: bool = False
    label: str | None = None
    one_of_names: bool = False
    question: ReadOnlyDocument | None = None

    @property
    def field(self) -> str:
        """One of FORM_FIELDS; for a question its type in OSDI."""
        return str(self.question["question_type"]) if self.question else self.name.removeprefix(PERSON)

    @property
    def is_choice(self) -> bool:
        """True if the supporter chooses among the responses of a question."""
        return self.field in CHOICES


def controls_of(page: PageSettings, find: Find) -> tuple[Control, ...]:
    """Returns the controls of a page's fields, in their order; a question that no longer exists has none.

    `find` looks up questions by their identifiers. Raises OsdiError 503.
    """
    references = [field.question for field in page.fields if field.question]
    questions = find(QUESTION, references) if references else {}
    found = []
    for field in page.fields:
        if field.name:
            found.append(Control(f"{PERSON}{field.name}", field.required, field.label))
        elif question := questions.get(field.question or ""):
            found.append(Control(f"{ANSWERS}{question['_id']}", field.required, field.label, question=question))
    return _with_one_of_two_names(_with_postal_code(found, page))


def _with_postal_code(controls: Sequence[Control], page: PageSettings) -> Sequence[Control]:
    """Returns the controls; where the postal code leads to the targets, it is asked for and required."""
    name = f"{PERSON}postal_code"
    if page.targets.selection != POSTAL_CODE:
        return controls
    if all(each.name != name for each in controls):
        return (*controls, Control(name, required=True))
    return [replace(each, required=True) if each.name == name else each for each in controls]


def _with_one_of_two_names(controls: Sequence[Control]) -> tuple[Control, ...]:
    """Returns the controls; where both names are asked and one is required, either is enough."""
    names = [each for each in controls if each.name in NAMES]
    if len(names) < len(NAMES) or not any(each.required for each in names):
        return tuple(controls)
    return tuple(Control(each.name, False, each.label, True) if each in names else each for each in controls)


def value_of(form: Form, name: str) -> str:
    """Returns the first value of a control that is not blank, without the space around it; empty without one."""
    return next(iter(values_of(form, name)), "")


def values_of(form: Form, name: str) -> list[str]:
    """Returns the values of a control that are not blank, without the space around them.

    A browser sends a line break as CR LF (HTML, section 4.10.22.4); texts are stored with LF, as in JSON.
    """
    return [text for value in form.getlist(name) if (text := value.replace("\r\n", "\n").strip())]


def unknown_controls(form: Form, controls: Sequence[Control], others: Iterable[str]) -> list[str]:
    """Returns the names of filled controls that the server does not read; `others` are names of further known ones."""
    known = {
        *(each.name for each in controls),
        *PERSON_CONTROLS,
        *SOURCES,
        *PARTS,
        *others,
        FORM_TOKEN,
        CONFIRMED,
        REDIRECT,
    }
    return [name for name in form if name not in known and values_of(form, name)]
