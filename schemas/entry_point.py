"""The API entry point (`aep.md`)."""

import marshmallow as ma

from schemas.base.common import OsdiSchema, links


class EntryPointSchema(OsdiSchema):
    """The API entry point, with links to all collections."""

    motd = ma.fields.String(metadata={"description": "Message of the day."})
    vendor_name = ma.fields.String(metadata={"description": "Maker of the server."})
    product_name = ma.fields.String(metadata={"description": "Name of the server."})
    osdi_version = ma.fields.String(metadata={"description": "Version of the standard."})
    max_pagesize = ma.fields.Integer(metadata={"description": "Most resources on a page."})
    namespace = ma.fields.String(metadata={"description": "Prefix of identifiers and properties of this server."})
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
