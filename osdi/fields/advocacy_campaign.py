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
from osdi.fields.limits import MAX_LINE_LENGTH, MAX_MESSAGE_LENGTH, MAX_SHARE_OPTIONS, MAX_TARGET_LIST, MAX_TEMPLATES
from osdi.fields.outreach import OUTREACH_TYPES

FACEBOOK_SHARE: Final = ObjectType(
    "FacebookShare",
    "Content to share on Facebook.",
    (
        Text("title", MAX_LINE_LENGTH, description="Title of the post."),
        Text("description", description="Text of the post."),
        Text("image", description="Address of the image of the post."),
        WholeNumber("total_shares", description="Number of shares, as it was sent."),
        Text("share_url", description="Address that is shared."),
    ),
)
TWITTER_SHARE: Final = ObjectType(
    "TwitterShare",
    "Content to share on Twitter.",
    (
        Text("message", description="Text of the post."),
        WholeNumber("total_shares", description="Number of shares, as it was sent."),
        Text("share_url", description="Address that is shared."),
    ),
)
EMAIL_SHARE: Final = ObjectType(
    "EmailShare",
    "Content to share by e-mail.",
    (
        Text("subject", MAX_LINE_LENGTH, description="Subject of the mail."),
        Text("body", description="Text of the mail."),
        WholeNumber("total_shares", description="Number of shares, as it was sent."),
        Text("share_url", description="Address that is shared."),
    ),
)
SHARE_OPTION: Final = ObjectType(
    "ShareOptions",
    "Content for sharing a campaign.",
    (
        Object("facebook_share", FACEBOOK_SHARE, description="Content for Facebook."),
        Object("twitter_share", TWITTER_SHARE, description="Content for Twitter."),
        Object("email_share", EMAIL_SHARE, description="Content for mails."),
    ),
)

ADVOCACY_CAMPAIGN_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", MAX_LINE_LENGTH, description="Name of the campaign, for staff."),
    Text("title", MAX_LINE_LENGTH, description="Title for readers. Default: the name, else `Untitled campaign`."),
    Text("description", MAX_MESSAGE_LENGTH, description="Text about the campaign, as HTML."),
    Strings(
        "templates", MAX_TEMPLATES, MAX_MESSAGE_LENGTH, description="Texts that supporters may send to the targets."
    ),
    Text("summary", description="Short description."),
    Text("targets", description='A human readable description, such as "U.S. Congress".'),
    Objects("target_list", TARGET, MAX_TARGET_LIST, description="The targets, each with names and contact details."),
    Text("browser_url", description="If none is stored: the address of the public page, if it is published."),
    Text("administrative_url", description="Page about the campaign for staff."),
    Text("featured_image_url", description="Address of the image of the campaign."),
    WholeNumber(
        "total_outreaches",
        read_only=True,
        not_filtered="it is counted when a campaign is read",
        description="Number of outreaches.",
    ),
    FlexEnum("type", OUTREACH_TYPES, description="Kind of outreach that the campaign asks for."),
    Text("share_url", description="Address that supporters share."),
    WholeNumber("total_shares", description="Number of shares, as it was sent."),
    Objects("share_options", SHARE_OPTION, MAX_SHARE_OPTIONS, description="Content for sharing the campaign."),
)
