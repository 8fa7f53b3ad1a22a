"""Fields of an advocacy campaign (`advocacy_campaigns.md`)."""

from typing import Final

from osdi.fields.contacts import TARGET
from osdi.fields.definition import (
    ORIGIN_SYSTEM,
    FlexEnum,
    Object,
    Objects,
    ObjectType,
    Strings,
    Table,
    Text,
    WholeNumber,
)
from osdi.fields.limits import LINE_LENGTH, MESSAGE_LENGTH, SHARE_OPTIONS, TARGET_LIST, TEMPLATES
from osdi.fields.outreach import OUTREACH_TYPES

FACEBOOK_SHARE: Final = ObjectType(
    "FacebookShare",
    "Content to share on Facebook.",
    (
        Text("title", LINE_LENGTH),
        Text("description"),
        Text("image"),
        WholeNumber("total_shares"),
        Text("share_url"),
    ),
)
TWITTER_SHARE: Final = ObjectType(
    "TwitterShare",
    "Content to share on Twitter.",
    (Text("message"), WholeNumber("total_shares"), Text("share_url")),
)
EMAIL_SHARE: Final = ObjectType(
    "EmailShare",
    "Content to share by e-mail.",
    (Text("subject", LINE_LENGTH), Text("body"), WholeNumber("total_shares"), Text("share_url")),
)
SHARE_OPTION: Final = ObjectType(
    "ShareOptions",
    "Content for sharing a campaign.",
    (
        Object("facebook_share", FACEBOOK_SHARE),
        Object("twitter_share", TWITTER_SHARE),
        Object("email_share", EMAIL_SHARE),
    ),
)

ADVOCACY_CAMPAIGN_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", LINE_LENGTH),
    Text("title", LINE_LENGTH, description="Title for readers. Default: the name, else `Untitled campaign`."),
    Text("description", MESSAGE_LENGTH),
    Strings("templates", TEMPLATES, MESSAGE_LENGTH),
    Text("summary"),
    Text("targets", description='A human readable description, such as "U.S. Congress".'),
    Objects("target_list", TARGET, TARGET_LIST),
    Text("browser_url", description="If none is stored: the address of the public page, if it is published."),
    Text("administrative_url"),
    Text("featured_image_url"),
    WholeNumber("total_outreaches", read_only=True, not_filtered="it is counted when a campaign is read"),
    FlexEnum("type", OUTREACH_TYPES),
    Text("share_url"),
    WholeNumber("total_shares"),
    Objects("share_options", SHARE_OPTION, SHARE_OPTIONS),
)
