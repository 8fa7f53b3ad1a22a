"""Words in brackets, in the text of a message, for what is not known when a form is shown: `[first name]`. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from osdi.campaign_pages.targets import NAME_PARTS, Target
from osdi.fields.limits import MAX_LINE_LENGTH
from osdi.messages.template_fields import single_line

# Words for readers in the language of the page: by the name of a form's field, and for the parts of a target's name by
# `target.title` and the like.
Labels = Mapping[str, str]
OF_TARGET: Final = "target."

# The fields of a form, and their places in a person.
FORM_PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "given_name": ("given_name",),
    "family_name": ("family_name",),
    "email_address": ("email_addresses", "address"),
    "phone_number": ("phone_numbers", "number"),
    "street_address": ("postal_addresses", "address_lines"),
    "postal_code": ("postal_addresses", "postal_code"),
    "locality": ("postal_addresses", "locality"),
    "country": ("postal_addresses", "country"),
}


def bracketed_person(fields: Sequence[str], labels: Labels) -> dict[str, Any]:
    """Returns a person whose fields are the labels in brackets of the fields that the form asks for."""
    person: dict[str, Any] = {}
    for name in fields:
        if name not in labels or name not in FORM_PATHS:
            continue
        array, *inner = FORM_PATHS[name]
        bracketed = f"[{labels[name]}]"
        if inner:
            (entry,) = person.setdefault(array, [{}])
            entry[inner[0]] = [bracketed] if inner[0] == "address_lines" else bracketed
        else:
            person[array] = bracketed
    return person


def bracketed_targets(labels: Labels) -> list[Target]:
    return [{part: f"[{labels[OF_TARGET + part]}]" for part in NAME_PARTS if OF_TARGET + part in labels}]


def filled_in(text: str, labels: Labels, person: Mapping[str, Any], targets: Sequence[Target] | None) -> str:
    """Returns the text with what is known in place of the labels in brackets; what is not said is left out.

    The labels of a target stay while `targets` is None.
    """
    known = dict(_flat(person))
    if targets is not None:
        first = targets[0] if targets else {}
        known |= {f"{OF_TARGET}{part}": str(first.get(part, "")) for part in NAME_PARTS}
    by_label = {
        label: known.get(name, "") for name, label in labels.items() if targets is not None or name in FORM_PATHS
    }
    if not by_label:
        return text
    pattern = re.compile(rf"( ?)\[({'|'.join(map(re.escape, by_label))})\]")

    def value(found: re.Match[str]) -> str:
        line = single_line(by_label[found[2]], MAX_LINE_LENGTH)
        return f"{found[1]}{line}" if line else ""

    return pattern.sub(value, text)


def _flat(person: Mapping[str, Any]) -> Mapping[str, str]:
    """Returns the values of a posted person by the fields of a form."""
    flat = {}
    for name, (array, *inner) in FORM_PATHS.items():
        value = person.get(array)
        if inner:
            entries = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
            value = next((entry[inner[0]] for entry in entries if entry.get(inner[0])), None)
        if value:
            flat[name] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return flat


def as_lines(value: Any) -> Any:
    """Returns a posted person with every text in one line."""
    if isinstance(value, str):
        return single_line(value, MAX_LINE_LENGTH)
    if isinstance(value, Mapping):
        return {name: as_lines(each) for name, each in value.items()}
    return [as_lines(each) for each in value] if isinstance(value, list) else value
