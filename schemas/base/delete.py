"""DELETE: what may be asked along with it, and what is answered."""

from typing import Any

import marshmallow as ma

from schemas.base.collection import QuerySchema
from schemas.base.common import OsdiSchema
from schemas.base.fields import Bool


class ForceSchema(QuerySchema):
    """Whether what depends on the resource is deleted too."""

    force = Bool(load_default=False, metadata={"description": "Delete the campaign's outreaches too."})


class EraseSchema(QuerySchema):
    """Whether a person is erased, and what becomes of their outreaches then."""

    erase = Bool(load_default=False, metadata={"description": "Erase all that is known about the person, for good."})
    outreaches = ma.fields.String(
        validate=ma.validate.OneOf(("keep", "anonymise", "delete")),
        metadata={
            "description": "With `erase`, what becomes of their outreaches: `anonymise` (when absent) keeps them"
            " counted, without texts and identifiers; `keep` keeps the texts too; `delete` deletes them."
        },
    )

    @ma.validates_schema(skip_on_field_errors=True)
    def says_so_of_an_erasure(self, data: dict[str, Any], **_: object) -> None:
        if "outreaches" in data and not data["erase"]:
            raise ma.ValidationError("What becomes of outreaches is said with erase=true.", "outreaches")


class NoticeSchema(OsdiSchema):
    """The answer to a DELETE, as the standard's pages print it."""

    notice = ma.fields.String()
