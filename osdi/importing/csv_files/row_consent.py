"""Columns about consent: flags such as "opted out", their cells, and names and values that look like consent.

A flag is about a person, so it applies to all addresses or numbers of its row. Pure.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.values import words
from osdi.values.opt_out_flags import (
    ALLOWED,
    CALLS,
    FLAGS,
    MAIL,
    NOT_ALLOWED,
    OPT_OUT_WORDS,
    PERMITS,
    TEXTS,
    UNKNOWN,
    is_hold_after_opt_out,
    is_yes,
)

# A yes of these is a statement about one kind of message, and not only that there was no opt-out.
PERMITTING: Final = ("opted_in", "texts_opted_in")
# Names of files whose people have all opted out. `subscribed_members.csv` is none.
OPT_OUT_FILE: Final = re.compile(
    r"\b(unsub\w*|un ?subscri\w*|non ?subscri\w*|opt(ed)? ?outs?|optouts?|suppress\w*|blocklist\w*|blacklist\w*|"
    r"(do not|dont|no) (contact|call|e ?mail|mail|text)s?|donot\w+|dnc|bounce[sd]?|cleaned|abgemeldet\w*|abmeldungen|"
    r"désabonn\w*|desabonn\w*|désinscri\w*|desinscri\w*|bajas?|uitgeschreven|afgemeld\w*|disiscritt\w*)\b"
)
STRICTER: Final = ("spam complaints",)

# Words of a column's name that speak of consent, in several languages. Two words stand next to each other.
CONSENT_NAME: Final = re.compile(
    r"\b(opt(ed|s)?[ -]?(in|out)|optin\w*|optout\w*|unsub\w*|(re)?subscri\w*|non ?subscri\w*|consent\w*|suppress\w*|"
    r"blocklist\w*|blacklist\w*|permissions?|contactable|mailable|callable|textable|dnc|dne|dnm|gdpr|rgpd|dsgvo|"
    r"bounce\w*|newsletter\w*|mailing list|(do not|dont|don't|donot)(?= \w)|"
    r"never (contact|call|phone|e ?mail|mail|text|write)|"
    r"donot\w+|dont(call|mail|email|text|contact|sms|phone)\w*|"
    r"no (calls?|contact|e ?mails?|mail|mailings?|texts?|sms|phone|bulk|marketing)|(ok|okay|can|may) to \w+|"
    r"einwillig\w*|widerruf\w*|widerspruch\w*|abgemeldet|abmeld\w*|abbestell\w*|kontaktsperre|anrufsperre|"
    r"werbesperre|zustimmung|kein(e|en)? (anrufe?|e ?mails?|mails?|werbung|kontakt|sms|post)|"
    r"nicht (anrufen|kontaktieren|anschreiben|mailen)|"
    r"consentement|desabonn\w*|désabonn\w*|désinscri\w*|desinscri\w*|abonn\w*|ne pas \w+|pas d|pas de \w+|"
    r"consentimiento|baja|suscri\w*|no (llamar|contactar|enviar)|"
    r"toestemming|uitgeschreven|afgemeld|nieuwsbrief|niet (bellen|mailen|contacteren|benaderen)|"
    r"geen (e ?mail|telefoon|sms|contact)|"
    r"(communication|contact|e ?mail|mailing|phone|call|text|sms|privacy) (preferences?|options|restrictions?)|"
    r"deactivated|deaktiviert|non disturbare|cancelou|"
    r"deceased|passed away|date of death|verstorben|décédée?|fallecid[oa]|overleden|decedut[oa]|falecid[oa]|"
    r"\w*sperre|sperrvermerk|gesperrt|werbeverbot|\w*widerspruch|kontaktverbot|nicht mehr \w+|nicht \w+ werden|"
    r"bloctel|refus\w* (e ?mails?|appels?|sms)|ne plus \w+|ne souhaite\w*|n.accepte pas|plus de (mails?|sms|appels?)|"
    r"no molestar|robinson|no desea|geen (mails?|mailings?|belletjes)|bel me niet|wil (geen|niet)|"
    r"não \w+|descadastrad[oa]|ring (ej|ikke|inte)|nix|kontakt ikke|kontakta (ej|inte)|av?meld\w*|afmeld\w*|"
    r"avprenumer\w*|ønsker ikke|vill inte|nie (dzwonić|kontaktować|wysyłać)|"
    r"consenso|disiscri\w*|iscri\w*|non (chiamare|contattare)|samtykke|samtycke|avregistr\w*|zgoda|wypis\w*)\b"
)
# Media of messages, and words of permission or opt-out. They speak of consent if all values are yes or no.
MEDIUM: Final = re.compile(
    r"\b(e ?mails?|mails?|mailings?|calls?|phones?|telephone|texts?|sms|whatsapp|contact|updates?|news|infolettre|"
    r"kontakt\w*|anrufe?|angerufen|telefon|werbung|appels?|contacte?r?|contacté|courriels?|démarchage|correos?|"
    r"llamadas?|contacto|publicidad|información|boletín|gebeld|gemaild|contatt\w*|datenschutz|"
    r"allow\w*|accept\w*|receiv\w*|keep me|stay in touch|remove\w*|stop\w*|quit|block(ed)?|disabled|"
    r"deactivated|deaktiviert|inaktiv|exclu\w*|refus\w*|declin\w*|revoked|withdr\w*|complain\w*|spam\w*|abuse|"
    r"solicit\w*|undeliverable|unreachable|uncontactable|disconnected|wrong number|nomail|noemail|"
    r"leave me alone|out|delete[d]?|erwünscht|erlaubt|darf|opposition|opposé|opposizione|accepte\w*|autoris\w*|"
    r"souhaite|acepta\w*|desea|rechaza\w*|autoriza\w*|toegestaan|mag|accetta|cancellat[oa]|aceita|reserverad)\b"
)
# Columns with such a word that are about something else, such as skills of volunteers and counts.
OTHER_MEANING: Final = re.compile(
    r"\b(\w*bank\w*|volunt\w*|has|have|primary|preferred|emergency|type|count|number of|total|made|sent|opened|clicked|"
    r"attempt\w*|make|write|letters?|address|work|home)\b"
)
# A longer text, such as a note, may speak of anything.
MAX_OPT_OUT_LENGTH: Final = 60
CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
# The last word of a name that speaks about a consent, but does not say if it was given.
CIRCUMSTANCE: Final = re.compile(
    r"\b(time|date|at|on|ip|source|reason|reason other|campaign|campaign title|campaign id|url|method|by|via|stamp)"
    r"( \d+)?$"
)
GIVEN: Final = re.compile(r"\b(opt(ed)?[ -]?in|optin|subscri\w*|consent\w*|gdpr|newsletter\w*)\b")
# Values that are opt-outs, whatever the column is called.
OPT_OUTS: Final = frozenset(
    {
        *(word for word, status in words.STATUSES.items() if status != "subscribed"),
        "do not call", "do not contact", "do not email", "do not mail", "do not text", "dnc", "no contact",
        "no calls", "no texts",
        "nicht anrufen", "nicht kontaktieren", "ne pas appeler", "ne pas contacter", "no llamar", "no contactar",
        "niet bellen",
    }
    - words.AMBIGUOUS_STATUSES
)  # fmt: skip


@dataclass
class Consent:
    """The consent that the flags of a row express."""

    opted_out: set[str] = field(default_factory=set)
    permitted: set[str] = field(default_factory=set)
    # The slot of an address that bounced, with its status.
    bounced: dict[str, str] = field(default_factory=dict)

    def add(self, flag: str, cell: str) -> None:
        """Adds a flag's cell. Raises ValueError for a cell that is neither yes, no, a date nor a status."""
        name, _, slot = flag.rstrip("]").partition("[")
        value = is_yes(cell, permits=name in PERMITS)
        if value is None:
            return
        if name == "bounced":
            if value:
                self.bounced[slot] = "unsubscribed" if is_hold_after_opt_out(cell) else "bouncing"
            return
        of_yes, of_no = FLAGS[name]
        self.opted_out |= of_yes if value else of_no
        if value and name in PERMITTING:
            self.permitted |= of_no


def looks_like_consent(name: str) -> bool:
    """True if a column's name speaks of consent, in one of several languages."""
    return CONSENT_NAME.search(_spaced(name)) is not None


def is_opt_out_file(stem: str) -> bool:
    """True if a file's name says that its people have opted out: `unsubscribed_members_export_1a2b`."""
    return OPT_OUT_FILE.search(_spaced(stem)) is not None


def is_circumstance(name: str, *, with_consent: bool) -> bool:
    """True if the column only has the time, place or reason of a consent.

    Such a column of an opt-out is one only if another column of the file has the consent itself (`with_consent`).
    """
    spaced = _spaced(name)
    if CIRCUMSTANCE.search(spaced) is None and not spaced.startswith("confirm "):
        return False
    return with_consent or (GIVEN.search(spaced) is not None and "out" not in spaced and "unsub" not in spaced)


def state_opt_out(values: Iterable[str]) -> bool:
    """True if one of the values opts out of mail, calls or texts in words that have no other meaning."""
    return any(
        words.status_word(each) in OPT_OUTS
        or (len(each) <= MAX_OPT_OUT_LENGTH and "@" not in each and OPT_OUT_WORDS.search(each) is not None)
        for each in values
    )


def may_be_flags(name: str, values: Collection[str]) -> bool:
    """True if all values are yes or no, and the name speaks of messages or of a permission."""
    spaced = _spaced(name)
    if MEDIUM.search(spaced) is None or OTHER_MEANING.search(spaced) is not None:
        return False
    return all(map(_is_yes_or_no, values))


def _is_yes_or_no(text: str) -> bool:
    folded = " ".join(text.split()).casefold()
    if folded in UNKNOWN | ALLOWED | NOT_ALLOWED or folded in ("-1", "1.0", "0.0"):
        return True
    try:
        words.boolean(folded)
    except ValueError:
        return False
    return True


def are_statuses(values: Collection[str]) -> bool:
    """True if all values are words for the status of an e-mail address, and one has no other meaning."""
    found = set(map(words.status_word, values))
    return bool(found) and found <= words.STATUSES.keys() and not found <= words.AMBIGUOUS_STATUSES


def may_be_statuses(values: Collection[str]) -> bool:
    """True if all values are words for a status, one of them for an opt-out, and all have other meanings, too."""
    found = set(map(words.status_word, values))
    return found <= words.STATUSES.keys() and any(words.STATUSES[each] != "subscribed" for each in found)


def apply_consent(person: dict[str, Any], consent: Consent) -> None:
    """Changes the contact details of a row's person by the flags of the row."""
    emails, numbers = person.get("email_addresses", []), person.get("phone_numbers", [])
    if MAIL in consent.permitted:
        for each in emails[:1]:
            each.setdefault("status", "subscribed")
    if TEXTS in consent.permitted:
        mobile = [each for each in numbers if each.get("number_type") == "Mobile"]
        for each in mobile or numbers[:1]:
            each.setdefault("sms_capable", True)
    opt_out(person, consent.opted_out)


def opt_out(person: Mapping[str, Any], opted_out: Collection[str]) -> None:
    """Changes all e-mail addresses and phone numbers of the person: they opt out of mail, calls or texts."""
    for each in person.get("email_addresses", ()) if MAIL in opted_out else ():
        if each.get("status") not in STRICTER:
            each["status"] = "unsubscribed"
    for each in person.get("phone_numbers", ()):
        if CALLS in opted_out:
            each["do_not_call"] = True
        if TEXTS in opted_out:
            each["sms_capable"] = False


def _spaced(name: str) -> str:
    """Returns a column's name as words in lower case: `do not email` for `doNotEmail`."""
    return " ".join(re.split(r"[\s_\-./,:()]+", CAMEL.sub(" ", name.strip()).casefold())).strip()
