"""Query arguments and response of DELETE."""

from typing import Any

import marshmallow as ma

from schemas.base.collection import QuerySchema
from schemas.base.common import OsdiSchema
from schemas.base.fields import Bool


class ForceSchema(QuerySchema):
    """The argument `force`, which deletes dependent resources too."""

    force = Bool(load_default=False, metadata={"description": "Delete the campaign's outreaches too."})


class EraseSchema(QuerySchema):
    """Arguments for erasing a person."""

    erase = Bool(load_default=False, metadata={"description": "Permanently erase all data of the person."})
    outreaches = ma.fields.String(
        validate=ma.validate.OneOf(("keep", "anonymise", "delete")),
        metadata={
            "description": "With `erase`, the action for the person's outreaches: `anonymise` (default) keeps them for"
            " statistics, without texts and identifiers; `keep` keeps the texts too; `delete` deletes them."
        },
    )

    @ma.validates_schema(skip_on_field_errors=True)
    def outreaches_only_with_erase(self, data: dict[str, Any], **_: object) -> None:
        if "outreaches" in data and not data["erase"]:
            raise ma.ValidationError("Use outreaches only together with erase=true.", "outreaches")


class NoticeSchema(OsdiSchema):
    """The response to a DELETE, as on the standard's pages."""

    notice = ma.fields.String(metadata={"description": "A sentence for people."})
