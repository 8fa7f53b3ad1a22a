"""What a campaign says of posts without a token. Unlike elsewhere an empty array is said: it allows nothing."""

from typing import Any, Final

import marshmallow as ma

from osdi.fields.limits import LINE_LENGTH
from schemas.base.common import STRICT, links

ORIGIN: Final = r"^(\*|https?://[^/?#\s]{1,253})$(?!\s)"  # `$` alone would match in front of a final line feed too
ACTIONS: Final = ("tags", "lists", "answers", "triggers")
ORIGINS_LENGTH: Final = 100


class AnonymousPostsSchema(ma.Schema):
    """Posts without a token: whether they are taken, from pages of which origins, and what they may ask for."""

    class Meta:
        unknown = ma.EXCLUDE

    enabled = ma.fields.Boolean(
        allow_none=True, metadata={"description": "Whether the campaign's helper takes posts without a token."}
    )
    origins = ma.fields.List(
        ma.fields.String(validate=ma.validate.Regexp(ORIGIN, error="Not an origin such as https://example.org, or *.")),
        allow_none=True,
        validate=ma.validate.Length(max=ORIGINS_LENGTH),
        metadata={"description": "Origins whose pages may post, such as `https://example.org`; `*` for any."},
    )
    actions = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(ACTIONS)),
        allow_none=True,
        validate=ma.validate.Length(max=len(ACTIONS)),
        metadata={"description": "What may be asked for."},
    )

    @ma.validates_schema(pass_original=True)
    def knows_every_field(self, _: Any, original: Any, **__: Any) -> None:
        """As everywhere: an unknown field is ignored, unless the client prefers strict handling."""
        unknown = [name for name in original if name not in self.fields] if STRICT.get() else []
        if unknown:
            raise ma.ValidationError({name[:LINE_LENGTH]: ["Unknown field."] for name in unknown})

    _links = links("self", "osdi:advocacy_campaign")


def said(body: dict[str, Any]) -> dict[str, Any]:
    """A loaded body as a PUT's: null leaves it to the deployment again."""
    return {
        "fields": {"anonymous_posts": {name: value for name, value in body.items() if value is not None}},
        "cleared": tuple(f"anonymous_posts.{name}" for name, value in body.items() if value is None),
        "control": {},
    }
