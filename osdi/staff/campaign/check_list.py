"""The check list before a page is published: what supporters would miss, and what mails need.

Nothing in it prevents publishing, since a campaign without targets or without a checkbox can be meant so.
"""

from dataclasses import dataclass
from typing import Final

from osdi.access.anonymous_posts import AnonymousPosts
from osdi.campaign_pages.page_settings import PageSettings
from osdi.documents import ReadOnlyDocument
from osdi.ids import now
from osdi.settings import Settings
from osdi.staff.links import mails_are_sent

TARGETS: Final = "targets"
CONSENT_TEXT: Final = "consent_text"
PRIVACY_URL: Final = "privacy_url"
ANONYMOUS_POSTS: Final = "anonymous_posts"
NOT_CLOSED: Final = "not_closed"
MAIL: Final = "mail"


@dataclass(frozen=True)
class Check:
    """An entry of the check list, and True if it is as supporters need it."""

    name: str
    passed: bool


def check_list(settings: Settings, campaign: ReadOnlyDocument) -> tuple[Check, ...]:
    """Returns the checks of a campaign. The one for mail is there if the page asks for confirmations."""
    page, posts = PageSettings.of(campaign), AnonymousPosts.of(settings, campaign)
    checks = (
        Check(TARGETS, bool(campaign.get("target_list"))),
        Check(CONSENT_TEXT, bool(page.consent.text)),
        Check(PRIVACY_URL, bool(page.privacy_url)),
        Check(ANONYMOUS_POSTS, posts.enabled),
        Check(NOT_CLOSED, not page.closed(now())),
    )
    return (*checks, Check(MAIL, mails_are_sent(settings))) if page.consent.confirm_by_mail else checks
