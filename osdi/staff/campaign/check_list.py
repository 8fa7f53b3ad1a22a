"""The check list before a page is published: what supporters would miss, and what mails need.

Nothing in it prevents publishing, since a campaign without targets or without a checkbox can be meant so.
"""

from dataclasses import dataclass
from typing import Final

from osdi.access.anonymous_posts import AnonymousPosts
from osdi.action_functions.followup_kinds import AUTORESPONSE
from osdi.campaign_pages.page_settings import PageSettings
from osdi.crud.reference_cache import Reference
from osdi.documents import ReadOnlyDocument
from osdi.ids import now
from osdi.settings import Settings
from osdi.staff.campaign.autoresponse import message_kinds, unrequested_kinds
from osdi.staff.links import mails_are_sent
from osdi.store import Store

TARGETS: Final = "targets"
CONSENT_TEXT: Final = "consent_text"
PRIVACY_URL: Final = "privacy_url"
ANONYMOUS_POSTS: Final = "anonymous_posts"
NOT_CLOSED: Final = "not_closed"
MESSAGES: Final = "messages"
MAIL: Final = "mail"


@dataclass(frozen=True)
class Check:
    """An entry of the check list, and True if it is as supporters need it."""

    name: str
    passed: bool


def check_list(store: Store, reference: Reference, settings: Settings, campaign: ReadOnlyDocument) -> tuple[Check, ...]:
    """Returns the checks of a campaign whose page is to be public. Raises OsdiError 503.

    The one for messages is there if the campaign has some, the one for mail if the page can cause a mail.
    """
    page, posts = PageSettings.of(campaign), AnonymousPosts.of(settings, campaign)
    kinds = message_kinds(reference, campaign)
    checks = [
        Check(TARGETS, bool(campaign.get("target_list"))),
        Check(CONSENT_TEXT, bool(page.consent.text)),
        Check(PRIVACY_URL, bool(page.privacy_url)),
        Check(ANONYMOUS_POSTS, posts.enabled),
        Check(NOT_CLOSED, not page.closed(now())),
    ]
    if kinds:
        checks.append(Check(MESSAGES, not unrequested_kinds(store, reference, campaign, published=True)))
    if page.consent.confirm_by_mail or AUTORESPONSE in kinds:
        checks.append(Check(MAIL, mails_are_sent(settings)))
    return tuple(checks)
