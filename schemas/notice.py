"""DELETE: what may be asked along with it, and what is answered."""

import marshmallow as ma

from schemas.collection import QuerySchema
from schemas.common import OsdiSchema
from schemas.fields import Bool


class ForceSchema(QuerySchema):
    """Whether what depends on the resource is deleted too."""

    force = Bool(load_default=False, metadata={"description": "Delete the campaign's outreaches too."})


class NoticeSchema(OsdiSchema):
    """The answer to a DELETE, as the standard's pages print it."""

    notice = ma.fields.String()
