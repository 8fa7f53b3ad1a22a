"""An error response (`errors.md`)."""

import marshmallow as ma

from schemas.base.common import OsdiSchema


class ErrorDescriptionSchema(OsdiSchema):
    """One reason for an error response."""

    error_code = ma.fields.String(metadata={"description": "Code for programs."})
    description = ma.fields.String(metadata={"description": "A sentence for people."})
    properties = ma.fields.List(ma.fields.String(), metadata={"description": "The invalid properties."})
    hint = ma.fields.String(metadata={"description": "Advice for the next request."})
    reference_code = ma.fields.String(
        metadata={"description": "With 500 and 503: the id of the request in the server's log."}
    )


class ResourceStatusSchema(OsdiSchema):
    """The rejected resource and the reasons."""

    resource = ma.fields.String(metadata={"description": "Kind of the resource."})
    response_code = ma.fields.Integer(metadata={"description": "Status code of the resource."})
    error_descriptions = ma.fields.List(
        ma.fields.Nested(ErrorDescriptionSchema), metadata={"description": "The reasons."}
    )


class OsdiErrorSchema(OsdiSchema):
    """The `osdi:error` object."""

    request_type = ma.fields.String(
        metadata={"description": "`atomic`: nothing was written.", "enum": ["atomic", "non-atomic"]}
    )
    response_code = ma.fields.Integer(metadata={"description": "Status code of the response."})
    resource_status = ma.fields.List(
        ma.fields.Nested(ResourceStatusSchema), metadata={"description": "The rejected resources."}
    )


class ErrorSchema(OsdiSchema):
    """The body of every error response: one sentence for people, and the standard's object for programs."""

    error = ma.fields.String(required=True, metadata={"description": "A sentence for people."})
    osdi_error = ma.fields.Nested(OsdiErrorSchema, data_key="osdi:error", required=True)
