"""Loads a body without its invalid optional values, so that none of them costs an outreach.

The first load names every invalid value. If there are any, the body is loaded again without them; nearly every body is
loaded once. `skipped` in the loaded body has the reasons by property, in the form of a ValidationError's messages.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import marshmallow as ma
from marshmallow.error_store import merge_errors

from osdi.values.text import as_array
from schemas.base.common import STRICT, OsdiSchema
from schemas.base.fields import Reason

SKIPPED: Final = "skipped"
# A value that is invalid only after others were skipped, such as an object that lacks a required property, takes
# another load. Each load skips something, and no body of ours has this many levels of required properties.
LOADS: Final = 8
GONE: Final = object()


class SkippingSchema(OsdiSchema):
    """A schema that with `skips=True` skips invalid values and unknown fields, unless handling is strict."""

    def __init__(self, *, skips: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.skips = skips

    def load(self, data: Any, **kwargs: Any) -> Any:
        if not self.skips or STRICT.get():
            return super().load(data, **kwargs)
        strict = STRICT.set(True)  # so that unknown fields are reported
        try:
            return self._load_valid_values(data)
        finally:
            STRICT.reset(strict)

    def why_useless(self, loaded: Mapping[str, Any], skipped: Mapping[Any, Any]) -> dict[str, Any] | None:
        """Returns the messages of an error if a body is worth nothing without the skipped values, else None."""
        return None

    def _load_valid_values(self, data: Any) -> Any:
        skipped: dict[Any, Any] = {}
        for _ in range(LOADS):
            try:
                loaded = super().load(data)
            except ma.ValidationError as error:
                messages = error.normalized_messages()
                skipped = merge_errors(skipped, messages)
                data = without_invalid(data, messages)
                if data is GONE or any(each.final for each in _all_reasons(messages)):
                    break
            else:
                useless = self.why_useless(loaded, skipped) if skipped else None
                if useless:
                    raise ma.ValidationError(merge_errors(skipped, useless))
                return {**loaded, SKIPPED: skipped} if skipped else loaded
        raise ma.ValidationError(skipped)


def without_invalid(value: Any, messages: Any) -> Any:
    """Returns the value without its invalid parts, or GONE if it is invalid as a whole. Does not change the value."""
    if not isinstance(messages, Mapping) or "_schema" in messages:
        return next((each.instead for each in _reasons(messages) if each.instead is not None), GONE)
    if any(each.whole_entry for inner in messages.values() for each in _reasons(inner)):
        return GONE
    if all(isinstance(name, int) for name in messages):
        return _entries_without_invalid(as_array(value), messages)
    if not isinstance(value, dict) or any(name not in value for name in messages):  # a required property is missing
        return GONE
    changed = {name: without_invalid(value[name], inner) for name, inner in messages.items()}
    return {name: changed.get(name, each) for name, each in value.items() if changed.get(name) is not GONE}


def _entries_without_invalid(value: Any, messages: Mapping[int, Any]) -> Any:
    """Returns an array without its invalid entries. Their places stay, because messages name entries by the place."""
    entries = value if isinstance(value, list) else [value]  # a single entry is accepted for an array
    kept = [without_invalid(each, messages[at]) if at in messages else each for at, each in enumerate(entries)]
    return [None if each is GONE else each for each in kept]


def _reasons(messages: Any) -> list[Reason]:
    return [each for each in messages if isinstance(each, Reason)] if isinstance(messages, list) else []


def _all_reasons(messages: Any) -> Iterator[Reason]:
    if isinstance(messages, Mapping):
        for inner in messages.values():
            yield from _all_reasons(inner)
    yield from _reasons(messages)
