"""An advocacy campaign (`advocacy_campaigns.md`)."""

import marshmallow as ma

from schemas.base.addresses import TargetSchema
from schemas.base.common import OsdiSchema, ResourceSchema, links
from schemas.base.fields import FlexEnum, Objects, Strings, Text, WholeNumber
from schemas.base.limits import LINE_LENGTH, MESSAGE_LENGTH, SHARE_OPTIONS, TARGET_LIST, TEMPLATES


class FacebookShareSchema(OsdiSchema):
    """What is shared on Facebook."""

    title = Text(max_length=LINE_LENGTH)
    description = Text()
    image = Text()
    total_shares = WholeNumber()
    share_url = Text()


class TwitterShareSchema(OsdiSchema):
    """What is shared on Twitter."""

    message = Text()
    total_shares = WholeNumber()
    share_url = Text()


class EmailShareSchema(OsdiSchema):
    """What is shared by e-mail."""

    subject = Text(max_length=LINE_LENGTH)
    body = Text()
    total_shares = WholeNumber()
    share_url = Text()


class ShareOptionsSchema(OsdiSchema):
    """The ways in which a campaign may be shared."""

    facebook_share = ma.fields.Nested(FacebookShareSchema)
    twitter_share = ma.fields.Nested(TwitterShareSchema)
    email_share = ma.fields.Nested(EmailShareSchema)


class AdvocacyCampaignSchema(ResourceSchema):
    """An advocacy campaign, on which outreaches are recorded."""

    rel = "osdi:advocacy_campaign"
    origin_system = Text(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH)
    title = Text(max_length=LINE_LENGTH)
    description = Text(max_length=MESSAGE_LENGTH)
    templates = Strings(Text(max_length=MESSAGE_LENGTH), limit=TEMPLATES)
    summary = Text()
    targets = Text(metadata={"description": 'A human readable description, such as "U.S. Congress".'})
    target_list = Objects(TargetSchema, limit=TARGET_LIST)
    browser_url = Text()
    administrative_url = Text()
    featured_image_url = Text()
    total_outreaches = WholeNumber(dump_only=True)
    type = FlexEnum("email", "in-person", "phone", "postal mail")
    share_url = Text()
    total_shares = WholeNumber()
    share_options = Objects(ShareOptionsSchema, limit=SHARE_OPTIONS)
    _links = links("self", "osdi:outreaches", "osdi:record_outreach_helper")
