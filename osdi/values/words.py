"""Reads words that have a fixed set of values in OSDI: yes and no, statuses, genders, countries.

A text that cannot be read raises ValueError; its text says what to do. Pure.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import orjson

from osdi.values.text import unicode_form

# Besides yes and no, check marks, and the words that spreadsheets write for TRUE and FALSE in their language.
TRUE: Final = {
    "1", "true", "t", "yes", "y", "on", "x", "checked",
    "\u2713", "\u2714", "\u2611", "\u2705", "ja", "oui", "si", "sí", "sì", "sim", "tak", "ano", "áno",
    "igen", "да",
    "wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar", "sant", "sand", "sann", "tosi", "prawda", "pravda",
    "igaz",
    "истина", "evet", "doğru", "αληθης", "adevărat", "veritat", "cert",
}  # fmt: skip
FALSE: Final = {
    "0", "false", "f", "no", "n", "off", "unchecked", "\u2610", "\u2b1c",
    "nein", "non", "nee", "nej", "nei", "não", "nie", "ne",
    "nem", "нет",
    "falsch", "faux", "falso", "onwaar", "falskt", "falsk", "usann", "epätosi", "fałsz", "nepravda", "hamis", "ложь",
    "hay\u0131r", "yanl\u0131ş", "ψευδης", "fals",
}  # fmt: skip
STATUSES: Final = {
    **dict.fromkeys(
        ("subscribed", "active", "opted in", "opt in", "confirmed", "enabled", "abonniert", "abonné", "suscrito"),
        "subscribed",
    ),
    **dict.fromkeys(
        (
            "unsubscribed",
            "inactive",
            "opted out",
            "opt out",
            "cancelled",
            "canceled",
            "disabled",
            "unsub",
            "unsubscribe",
            "not subscribed",
            "non subscribed",
            "nonsubscribed",
            "blocklisted",
            "blacklisted",
            "suppressed",
            "do not email",
            "do not mail",
            "do not contact",
            "not mailable",
            "never subscribed",
            "global unsubscribe",
            "globally unsubscribed",
            "unsubscribed by user",
            "unsubscribed by admin",
            "no consent",
            "stop",
            "stopped",
            "removed",
            "refused",
            "declined",
            "deactivated",
            "inaktiv",
            "abgemeldet",
            "désabonné",
            "désinscrit",
            "dado de baja",
            "de baja",
            "uitgeschreven",
            "afgemeld",
            "disiscritto",
        ),
        "unsubscribed",
    ),
    **dict.fromkeys(
        (
            "bouncing",
            "bounced",
            "bounce",
            "previous bounce",
            "cleaned",
            "invalid",
            "hard bounce",
            "hard bounced",
            "soft bounce",
            "undeliverable",
            "unreachable",
        ),
        "bouncing",
    ),
    **dict.fromkeys(
        (
            "spam complaints",
            "spam complaint",
            "previous spam complaint",
            "spam",
            "complained",
            "complaint",
            "abuse",
            "abuse complaint",
            "abuse complaints",
            "complaints",
            "marked as spam",
        ),
        "spam complaints",
    ),
}
# Words for a status that also describe a membership, an order or a call.
AMBIGUOUS_STATUSES: Final = {
    "active", "inactive", "confirmed", "cancelled", "canceled", "invalid", "enabled", "disabled", "unreachable",
    "stop", "stopped", "removed", "refused", "declined", "deactivated", "inaktiv", "abuse", "complaint", "complaints",
}  # fmt: skip
# The same words, as they are compared: `OptedOut` and `hard-bounce` are among them.
STATUS_WORDS: Final = {"".join(word.split()): word for word in STATUSES}
GENDERS: Final = {
    **dict.fromkeys(
        ("f", "female", "w", "woman", "girl", "weiblich", "frau", "femme", "féminin", "femenino", "mujer",
        "vrouw", "vrouwelijk",
         "femminile", "donna", "feminino", "kvinna", "kvinde", "kvinne", "kobieta"),
        "Female",
    ),
    **dict.fromkeys(
        ("m", "male", "man", "boy", "männlich", "mann", "homme", "masculin", "masculino", "hombre", "mannelijk",
        "maschile", "uomo",
         "mężczyzna"),
        "Male",
    ),
    **dict.fromkeys(("o", "other", "x", "d"), "Other"),
}  # fmt: skip
# Words for a gender that OSDI does not list: it is `Other`, and the word is the gender identity.
OTHER_GENDERS: Final = {
    "non binary", "nonbinary", "nb", "enby", "non binary person", "genderqueer", "gender queer", "genderfluid",
    "gender fluid",
    "agender", "bigender", "intersex", "inter", "two spirit", "third gender", "gender nonconforming",
    "gender non conforming",
    "divers", "nicht binär", "nichtbinär", "non binaire", "autre", "no binario", "otro", "niet binair", "anders",
    "x gender",
    "non binario", "altro", "outro", "queer", "diverse", "self described", "prefer to self describe",
}  # fmt: skip
# Answers that state no gender.
NO_GENDER: Final = {
    "unspecified", "unknown", "u", "not specified", "prefer not to say", "prefer not to answer",
    "prefer not to disclose",
    "rather not say", "decline to state", "declined", "not stated", "undisclosed", "none", "n/a", "?", "-",
    "keine angabe", "k.a.",
    "unbekannt", "ne souhaite pas répondre", "non précisé", "inconnu", "prefiero no decirlo", "no especificado",
    "desconocido",
    "zeg ik liever niet", "onbekend", "niet gespecificeerd", "non specificato",
}  # fmt: skip
# Common names of countries that the phone number library does not have.
COUNTRIES: Final = {
    **dict.fromkeys(("usa", "u.s.a.", "u.s.", "united states of america", "america"), "US"),
    **dict.fromkeys(("uk", "u.k.", "great britain", "britain", "england", "scotland", "wales"), "GB"),
    **dict.fromkeys(("holland", "the netherlands"), "NL"),
    "czech republic": "CZ",
}

COUNTRY_NAMES: Final = Path(__file__).with_name("country_names.json")
MAX_CACHED_LENGTH: Final = 40
ROUNDED: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+")


def boolean(text: str) -> bool:
    """Returns True for a yes and False for a no. Raises ValueError for other words."""
    word = unicode_form("NFKC", text).strip().casefold()
    if word in TRUE or word in FALSE:
        return word in TRUE
    raise ValueError("Write yes or no.")


def status_word(text: str) -> str:
    """Returns the word of STATUSES that a text is, in any case and with any separators, or the text in lower case."""
    return _short_status_word(text) if len(text) <= MAX_CACHED_LENGTH else _status_word(text)


def _status_word(text: str) -> str:
    words = " ".join(re.split(r"[\s_-]+", unicode_form("NFKC", text).strip(" .!").casefold()))
    return STATUS_WORDS.get(re.sub(r"[\W_]+", "", words), words)


# The rows of a file have few words. Only short texts are kept, so that few bytes are.
_short_status_word: Final = lru_cache(maxsize=1_000)(_status_word)


def status(text: str) -> str:
    """Returns the standard's word for the status of an e-mail address. Raises ValueError for an unknown word."""
    word = status_word(text)
    if word in STATUSES:
        return STATUSES[word]
    raise ValueError("Write subscribed, unsubscribed, bouncing or spam complaints.")


def gender(text: str) -> str:
    """Returns the standard's word for a gender, or the text itself, which the schema then checks."""
    return GENDERS.get(text.strip().casefold(), text.strip())


def gender_fields(text: str) -> dict[str, str]:
    """Returns the fields `gender` and `gender_identity` for a word; none for an answer that states no gender."""
    word = " ".join(re.split(r"[\s_-]+", text.strip().casefold()))
    if word in GENDERS:
        return {"gender": GENDERS[word]}
    if word in NO_GENDER:
        return {}
    identity = {"gender_identity": text.strip()}
    return {"gender": "Other", **identity} if word in OTHER_GENDERS else identity


def country(text: str) -> str:
    """Returns the ISO 3166-1 Alpha-2 code for a country's name in any language, or the text itself."""
    name = " ".join(text.split())
    if len(name) == 2 and name.isascii() and name.isalpha() and name.casefold() != "uk":
        return name.upper()
    return COUNTRIES.get(name.casefold()) or _country_names().get(name.casefold(), name)


def phone_number(text: str) -> str:
    """Returns a phone number unchanged. Raises ValueError for a number in scientific notation."""
    if ROUNDED.fullmatch(text.strip()):
        raise ValueError("A spreadsheet has rounded this number. Format its column as text.")
    return text.strip()


@cache
def _country_names() -> dict[str, str]:
    """Returns the codes by name in every language (see dev/country_names.py)."""
    names: dict[str, list[str]] = orjson.loads(COUNTRY_NAMES.read_bytes())
    return {name: code for code, each in names.items() for name in each}
