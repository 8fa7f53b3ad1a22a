"""The consent of a submitted form: the checkbox counts with the server's own words for the page, never with a client's.

The form carries the SHA-256 of the words that it showed. If staff have changed them meanwhile, nobody has agreed to the
present ones.

Pure.
"""

from collections.abc import Mapping
from typing import Final

from osdi.campaign_pages.page_settings import Consent
from osdi.errors import ErrorDescription
from osdi.outreaches.consent_receipt import GivenConsent, sha256_of

CHECKBOX: Final = "consent"
SHOWN_TEXT: Final = "consent_text"
# A browser sends `on` for a checkbox without a value.
CHECKED: Final = ("yes", "on")
UNREADABLE: Final = ErrorDescription("INVALID", "Only the value yes is a consent; it was not stored.", (CHECKBOX,))
CHANGED: Final = ErrorDescription(
    "CONSENT_CHANGED", "The words of the page have changed since the form was opened; it was not stored.", (CHECKBOX,)
)
NO_TEXT: Final = ErrorDescription("NO_CONSENT_TEXT", "The page asks for no consent; it was not stored.", (CHECKBOX,))


def consent_of(
    form: Mapping[str, str], asked: Consent, *, language: str, page_url: str
) -> tuple[GivenConsent | None, tuple[ErrorDescription, ...]]:
    """Returns the consent that a form gives to the words of its page, and a warning if it cannot count.

    None without a checked box. `language` is that of the page, and `page_url` its address.
    """
    value = form.get(CHECKBOX, "").strip().lower()
    if not value:
        return None, ()
    if value not in CHECKED:
        return None, (UNREADABLE,)
    if not asked.text:
        return None, (NO_TEXT,)
    if form.get(SHOWN_TEXT) not in (None, "", sha256_of(asked.text)):
        return None, (CHANGED,)
    return GivenConsent(asked.text, language, page_url, asked.list, asked.tag, asked.confirm_by_mail), ()
