"""A campaign's rules for anonymous posts. Unlike in other bodies an empty array has a meaning: it allows nothing."""

from typing import Any, Final

import marshmallow as ma

from osdi.fields.limits import MAX_LINE_LENGTH, MAX_ORIGINS
from schemas.base.common import STRICT, links

ORIGIN: Final = r"^(\*|https?://[^/?#\s]{1,253})$(?!\s)"  # `$` also matches before a final line feed
ACTIONS: Final = ("tags", "lists", "answers", "triggers")


class AnonymousPostsSchema(ma.Schema):
    """A campaign's rules for anonymous posts: if they are accepted, from which origins, and with which actions."""

    class Meta:
        unknown = ma.EXCLUDE

    enabled = ma.fields.Boolean(
        allow_none=True, metadata={"description": "True: the campaign's helper accepts posts without a token."}
    )
    origins = ma.fields.List(
        ma.fields.String(validate=ma.validate.Regexp(ORIGIN, error="Not an origin such as https://example.org, or *.")),
        allow_none=True,
        validate=ma.validate.Length(max=MAX_ORIGINS),
        metadata={"description": "Origins whose pages may post, such as `https://example.org`; `*` for any."},
    )
    actions = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(ACTIONS)),
        allow_none=True,
        validate=ma.validate.Length(max=len(ACTIONS)),
        metadata={"description": "Action functions that are allowed."},
    )

    @ma.validates_schema(pass_original=True)
    def has_no_unknown_fields(self, _: Any, original: Any, **__: Any) -> None:
        """Rejects unknown fields if the client asks for strict handling; else they are ignored."""
        unknown = [name for name in original if name not in self.fields] if STRICT.get() else []
        if unknown:
            raise ma.ValidationError({name[:MAX_LINE_LENGTH]: ["Unknown field."] for name in unknown})

    _links = links("self", "osdi:advocacy_campaign")


def as_put(body: dict[str, Any]) -> dict[str, Any]:
    """Returns a loaded body in the form of PutSchema; null restores the deployment's setting."""
    return {
        "fields": {"anonymous_posts": {name: value for name, value in body.items() if value is not None}},
        "cleared": tuple(f"anonymous_posts.{name}" for name, value in body.items() if value is None),
        "control": {},
    }
