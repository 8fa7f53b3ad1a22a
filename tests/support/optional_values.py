"""Random bodies of the Record Outreach Helper: a valid core, and any JSON in the optional places."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from osdi.fields import definition as table
from osdi.fields.outreach import OUTREACH_FIELDS
from osdi.fields.person import PERSON_FIELDS
from osdi.values.text import as_array, cleaned

Path = tuple[str | int, ...]

TEXTS = st.text(max_size=12).map(lambda text: text.encode("utf-8", "replace").decode()) | st.sampled_from(
    ("", " ", "yes", "N", "n/a", "F", "unsubscribed", "42", "2026-03-18", "United States", "a:b", "\ufeff", "x" * 1001)
)
SCALARS = st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("0", "1", "a", "")), inner, max_size=3)
    ),
    max_leaves=6,
)
NUMBERS = itertools.count(1)
NUMBER = re.compile(r"\[\d+\]|\.\d+(?![^.\[])")


def _of(field: table.Field) -> st.SearchStrategy[Any]:
    """Returns random values for a field: of any form, or an object or array of the right form with random inside."""
    if isinstance(field, table.Object):
        return VALUES | _objects(field.type.fields)
    if isinstance(field, table.Objects):
        return VALUES | st.lists(_objects(field.type.fields), max_size=2)
    if isinstance(field, table.CustomFields):
        return VALUES | st.dictionaries(st.sampled_from(("a", "b.c", "$d", "e ")), VALUES, max_size=3)
    return VALUES


def _objects(fields: table.Table) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(fields), max_size=3, unique_by=lambda each: each.name).flatmap(
        lambda some: st.fixed_dictionaries({each.name: _of(each) for each in some if not each.read_only})
    )


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Returns a body whose person has an e-mail address of their own, beside random values."""
    person = draw(_objects(tuple(each for each in PERSON_FIELDS if each.name != "email_addresses")))
    if draw(st.booleans()):
        person["unknown"] = draw(VALUES)
    core = {"address": f"jane{next(NUMBERS)}@example.com"}
    entry = {"status": draw(VALUES), "primary": draw(VALUES)} if draw(st.booleans()) else {}
    return {**draw(_objects(OUTREACH_FIELDS)), "person": {**person, "email_addresses": [{**entry, **core}]}}


def not_stored(
    body: dict[str, Any], outreach: dict[str, Any], person: dict[str, Any], warnings: list[str]
) -> list[str]:
    """Returns the places of a body that have a value, and are neither in a resource nor named by a warning."""
    named = [each.split(": ")[0] for each in warnings]
    missing = []
    for path in _values(body):
        place = _written(path)
        if not any(_covers(name, place) for name in named) and not _is_stored(path, outreach, person):
            missing.append(place)
    return missing


def _values(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yields the path of every value that is not empty; an array of texts and custom fields' values are one value."""
    value = as_array(value)
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _values(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _values(each, (*path, at))
    elif value is not None and not (isinstance(value, str) and not cleaned(value)):
        yield path


def _written(path: Path) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _covers(name: str, place: str) -> bool:
    """True if a warning about `name` is about the place, about what it is in, or about the number of its entry.

    Numbers are not compared: a single object in place of an array is its first entry, and an object whose names are
    numbers is an array only where the standard has one.
    """
    name, place = NUMBER.sub("", name), NUMBER.sub("", place)
    entry = name.removesuffix(".number").removesuffix(".address")
    return any(place == each or place.startswith((f"{each}.", f"{each}[")) for each in (name, entry))


def _is_stored(path: Path, outreach: dict[str, Any], person: dict[str, Any]) -> bool:
    """True if the resource has a value at this path, in any entry of the arrays on the way."""
    found = [person] if path[0] == "person" else [outreach]
    for part in path[1:] if path[0] == "person" else path:
        found = [inner for each in found for inner in _inside(each, part)]
    return bool(found)


def _inside(value: Any, part: str | int) -> Iterator[Any]:
    if isinstance(part, int):
        # An array of texts in a custom field is one text; a single value for an array is an array.
        yield from value if isinstance(value, list) else [value]
    elif isinstance(value, list):
        for each in value:
            yield from _inside(each, part)
    elif isinstance(value, dict):
        name = next((each for each in value if each == part or each == cleaned(part)), None)
        if name is not None:
            yield value[name]
