"""Makes slugs: the part of a public page's address that names its campaign, such as `save-the-river`. Pure.

A slug has lower-case ASCII letters, digits and single hyphens between them.
"""

import re
from typing import Final

from osdi.values.text import unicode_form

MAX_SLUG_LENGTH: Final = 80
PATTERN: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
SLUG: Final = re.compile(PATTERN)
# First segments of the addresses of public pages that name no campaign.
RESERVED: Final = frozenset({"assets", "confirm"})
# The slug of a title without any letter or digit that has an ASCII form.
FALLBACK: Final = "campaign"

# Letters that Unicode does not decompose. `str.casefold` has made `ss` of the German sharp s.
LETTERS: Final = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i", "ħ": "h", "ŋ": "ng"}
)
APART: Final = re.compile(r"[^a-z0-9]+")
# An apostrophe separates no words: `don't` is `dont`.
APOSTROPHES: Final = re.compile("['\u2019\u02bc]")


def is_slug(text: str) -> bool:
    """True if the text can be the slug of a campaign."""
    return len(text) <= MAX_SLUG_LENGTH and SLUG.fullmatch(text) is not None and text not in RESERVED


def slug_of(title: str) -> str:
    """Returns the slug of a title: `Rettet den Fluß!` is `rettet-den-fluss`.

    Accents are dropped. Letters of other scripts have no ASCII form here, so a title of them becomes `campaign`.
    """
    # casefold before and after: NFKD makes capitals of some signs, such as of the trade mark.
    folded = unicode_form("NFKD", title.casefold()).casefold().translate(LETTERS)
    ascii_only = "".join(each for each in APOSTROPHES.sub("", folded) if each.isascii() or not _is_mark(each))
    return _allowed(_shortened(APART.sub("-", ascii_only).strip("-"), MAX_SLUG_LENGTH))


def with_number(slug: str, number: int) -> str:
    """Returns the slug with a number behind it: `save-the-river-2`. It has at most MAX_SLUG_LENGTH characters."""
    suffix = f"-{number}"
    return _shortened(slug, MAX_SLUG_LENGTH - len(suffix)) + suffix


def _is_mark(character: str) -> bool:
    """True for an accent, which NFKD has taken off its letter."""
    return "\u0300" <= character <= "\u036f"


def _shortened(slug: str, length: int) -> str:
    """Returns the slug with at most `length` characters, cut between words if there is more than one."""
    if len(slug) <= length:
        return slug
    cut = slug[: length + 1]
    return (cut.rpartition("-")[0] or cut[:length]).strip("-")


def _allowed(slug: str) -> str:
    if not slug:
        return FALLBACK
    return f"{FALLBACK}-{slug}" if slug in RESERVED else slug
