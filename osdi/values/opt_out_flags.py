"""Reads flags of other programs that say who wants no e-mails, calls or texts, such as `do_not_contact`.

OSDI has a status for each address and two booleans for each number. Other programs have flags about the person. The
names are in opt_out_flags.toml. A text that cannot be read raises ValueError; its text says what to do. Pure, except
that the file is read once.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from osdi.values import words
from osdi.values.dates import ZERO_DATE

MAIL, CALLS, TEXTS = "e-mails", "calls", "texts"

# By flag: the channels that a yes opts out of, and those that a no opts out of.
FLAGS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "opted_out": (frozenset({MAIL}), frozenset()),
    "opted_in": (frozenset(), frozenset({MAIL})),
    "no_calls": (frozenset({CALLS}), frozenset()),
    "calls_opted_in": (frozenset(), frozenset({CALLS})),
    "no_texts": (frozenset({TEXTS}), frozenset()),
    "texts_opted_in": (frozenset(), frozenset({TEXTS})),
    "no_contact": (frozenset({MAIL, CALLS, TEXTS}), frozenset()),
    "contact_allowed": (frozenset(), frozenset({MAIL, CALLS, TEXTS})),
    "bounced": (frozenset(), frozenset()),
}
FLAG: Final = re.compile(rf"({'|'.join(FLAGS)})(\[\w+\])?")
# A flag whose yes permits something: a status word such as `subscribed` is a yes.
PERMITS: Final = frozenset(("opted_in", "calls_opted_in", "texts_opted_in", "contact_allowed"))
UNKNOWN: Final = frozenset(
    ("", "unknown", "not asked", "not set", "not specified", "unspecified", "none", "n/a", "na", "null", "-",
     "not applicable")
)  # fmt: skip
A_DATE: Final = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ t].*)?|\w{3,9} \d{1,2},? \d{4}.*|\d{1,2}[ -]\w{3,9}[ -]\d{2,4}.*"
)
# CiviCRM writes 2 for an address on hold after an opt-out, and 1 after a bounce.
ON_HOLD_AFTER_OPT_OUT: Final = frozenset(("2", "on hold opt out"))
# Microsoft Dynamics writes these for `Do not allow Emails`.
NOT_ALLOWED: Final = frozenset(("do not allow", "not allowed", "disallow", "refused", "declined", "no consent"))
ALLOWED: Final = frozenset(("allow", "allowed", "granted", "accepted"))

# Opt-outs inside a text, such as `202-555-0101 (do not call)`. A space stands for any separators.
OPT_OUT_WORDS: Final = re.compile(
    (
        r"\b((please )?(do not|don'?t|dont|never|no longer|stop) (be )?"
        r"(call|phone|ring|e ?mail|mail|text|sms|contact|solicit|disturb)(ed|ing|s)?|"
        r"no (more |further )?(calls?|e ?mails?|texts?|sms|contact|mailings?)|dnc|unsubscribed?|opted out|opt out|"
        r"(bitte )?nicht (mehr )?(anrufen|kontaktieren|anschreiben|mailen)|keine? (anrufe?|e ?mails?|sms)|abgemeldet|"
        r"ne (pas|plus) (appeler|contacter|écrire)|pas d'?appels?|désabonnée?|désinscrite?|"
        r"no (llamar|contactar|enviar)|dad[oa] de baja|niet (bellen|mailen|contacteren)|uitgeschreven|"
        r"non (chiamare|contattare))\b"
    )
    .replace(" ?", r"[\s_-]*")
    .replace(" ", r"[\s_-]+"),
    re.IGNORECASE,
)


# An e-mail address in a text.
ADDRESS: Final = re.compile(r"([^\s<>()\[\],;]+@[^\s<>()\[\],;]+)")


def squashed(name: str) -> str:
    """Returns a name for comparison: in lower case, without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name.strip().casefold())


_FILE: Final[Mapping[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("opt_out_flags.toml").read_text(encoding="utf-8")
)
# Flags by the squashed names of other programs.
NAMES: Final = {squashed(name): flag for flag, names in _FILE.items() for name in names}


def is_yes(cell: str, *, permits: bool) -> bool | None:
    """Returns the yes or no of a flag, or None if the text says neither."""
    text = " ".join(cell.split()).casefold()
    if text in UNKNOWN or ZERO_DATE.fullmatch(text):
        return None
    if not permits and (text in ON_HOLD_AFTER_OPT_OUT or text == "on hold bounce"):
        return True
    if text in NOT_ALLOWED or text in ALLOWED:
        return (text in ALLOWED) == permits
    try:
        return words.boolean(text)
    except ValueError:
        pass
    if A_DATE.fullmatch(text):  # the day on which the person said so
        return True
    if text.removesuffix(".0") in ("0", "1"):
        return text.startswith("1")
    try:
        return (words.status(text) == "subscribed") == permits
    except ValueError:
        raise ValueError("Neither yes, no, a date nor a status such as unsubscribed.") from None


def is_hold_after_opt_out(cell: str) -> bool:
    """True if CiviCRM's `On Hold` says that the person has opted out, and not that the address bounces."""
    return " ".join(cell.split()).casefold() in ON_HOLD_AFTER_OPT_OUT


def flag_opt_outs(flag: str, text: str) -> frozenset[str]:
    """Returns what a flag with this value opts out of. Raises ValueError."""
    value = is_yes(text, permits=flag in PERMITS)
    if value is None:
        return frozenset()
    of_yes, of_no = FLAGS[flag]
    return of_yes if value else of_no


def without_opt_out_words(cell: str) -> tuple[str, bool]:
    """Returns the contact details of a cell without words of an opt-out, and if there were such words.

    `202-555-0101 (do not call)` is a number that must not be called. A word inside an e-mail address means nothing.
    """
    if ADDRESS.fullmatch(cell) or not any(map(str.isalpha, cell)):  # nearly every cell
        return cell, False
    parts = ADDRESS.split(cell)
    texts = [OPT_OUT_WORDS.sub("", each) if index % 2 == 0 else each for index, each in enumerate(parts)]
    if texts == parts:
        return cell, False
    kept = re.sub(r"[(\[{]\s*[.!*]*\s*[)\]}]", "", "".join(texts))
    return kept.strip(" \t\n-\u2013\u2014:;,.!*/|"), True
