"""An error response (`errors.md`)."""

import marshmallow as ma

from schemas.base.common import OsdiSchema


class ErrorDescriptionSchema(OsdiSchema):
    """One reason for an error response."""

    error_code = ma.fields.String()
    description = ma.fields.String()
    properties = ma.fields.List(ma.fields.String())
    hint = ma.fields.String()
    reference_code = ma.fields.String(
        metadata={"description": "With 500 and 503: the id of the request in the server's log."}
    )


class ResourceStatusSchema(OsdiSchema):
    """The rejected resource and the reasons."""

    resource = ma.fields.String()
    response_code = ma.fields.Integer()
    error_descriptions = ma.fields.List(ma.fields.Nested(ErrorDescriptionSchema))


class OsdiErrorSchema(OsdiSchema):
    """The `osdi:error` object."""

    request_type = ma.fields.String(metadata={"enum": ["atomic", "non-atomic"]})
    response_code = ma.fields.Integer()
    resource_status = ma.fields.List(ma.fields.Nested(ResourceStatusSchema))


class ErrorSchema(OsdiSchema):
    """The body of every error response: one sentence for people, and the standard's object for programs."""

    error = ma.fields.String(required=True)
    osdi_error = ma.fields.Nested(OsdiErrorSchema, data_key="osdi:error", required=True)
