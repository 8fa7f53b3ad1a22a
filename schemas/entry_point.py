"""The API entry point (`aep.md`)."""

import marshmallow as ma

from schemas.base.common import OsdiSchema, links


class EntryPointSchema(OsdiSchema):
    """The API entry point, with links to all collections."""

    motd = ma.fields.String()
    vendor_name = ma.fields.String()
    product_name = ma.fields.String()
    osdi_version = ma.fields.String()
    max_pagesize = ma.fields.Integer()
    namespace = ma.fields.String()
    _links = links(
        "self",
        "docs",
        "osdi:advocacy_campaigns",
        "osdi:outreaches",
        "osdi:people",
        "osdi:tags",
        "osdi:lists",
        "osdi:questions",
        "osdi:messages",
        "osdi:wrappers",
        "osdi:person_signup_helper",
    )
