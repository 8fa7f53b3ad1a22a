"""The step that a supporter takes after the outreach is recorded, by the type of the campaign. Pure.

The values are those that were posted or that staff have written: nothing of a stored person is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.campaign_pages.acting.addresses import address_lines, first_address
from osdi.campaign_pages.acting.mail_links import MailLinks, mail_address, mail_links
from osdi.campaign_pages.acting.phone_links import PhoneLink, phone_link
from osdi.campaign_pages.message import script_of, texts_for_each
from osdi.campaign_pages.page_settings import title_of
from osdi.campaign_pages.targets import Target, target_name

EMAIL, PHONE, LETTER, VISIT, OTHER = "email", "phone", "letter", "visit", "other"
# The steps of OSDI's types; another type of an organisation has OTHER.
STEP_OF_TYPE: Final[Mapping[str, str]] = {
    "email": EMAIL,
    "phone": PHONE,
    "postal mail": LETTER,
    "in-person": VISIT,
}
# Steps with a script, which the supporter speaks. All others have a text that is sent, and recorded.
SPOKEN: Final = frozenset({PHONE, VISIT})


@dataclass(frozen=True)
class Addressee:
    """A target as the supporter sees it, and the text for it; what is missing in the campaign is empty."""

    name: str
    organization: str = ""
    text: str = ""
    email: str | None = None
    phones: tuple[PhoneLink, ...] = ()
    address: tuple[str, ...] = ()
    mail: MailLinks | None = None


@dataclass(frozen=True)
class Step:
    """The step itself: `kind` is one of this module, `text` the message or script.

    `mail` opens one message to all addressees; each of several also has its own. `sender` are the lines above a letter.
    """

    kind: str
    addressees: tuple[Addressee, ...]
    subject: str
    text: str
    sender: tuple[str, ...] = ()
    mail: MailLinks | None = None


def kind_of(campaign: Mapping[str, Any]) -> str:
    """Returns the kind of the campaign's step, one of this module; a campaign without a type is for e-mails."""
    return STEP_OF_TYPE.get(str(campaign.get("type") or "email").strip().lower(), OTHER)


def step_of(
    campaign: Mapping[str, Any],
    person: Mapping[str, Any],
    targets: Sequence[Target],
    text: str | None,
    *,
    phone_region: str = "",
) -> Step:
    """Returns the step for the posted person, the targets of the outreach, and its message, if it has one."""
    kind = kind_of(campaign)
    subject = title_of(campaign)
    written = text if text is not None else script_of(campaign, person, targets)
    texts = texts_for_each(campaign, person, targets, written)
    addressees = tuple(
        _addressee(target, kind, subject, own, phone_region) for target, own in zip(targets, texts, strict=True)
    )
    addresses = list(dict.fromkeys(each.email for each in addressees if each.email))
    mail = mail_links(addresses, subject, written) if kind == EMAIL else None
    return Step(kind, addressees, subject, written, _sender(person), mail)


def _addressee(target: Target, kind: str, subject: str, text: str, phone_region: str) -> Addressee:
    addresses = (mail_address(str(each.get("address", ""))) for each in _primary_first(target, "email_addresses"))
    email = next(filter(None, addresses), None)
    phones = (phone_link(each, phone_region) for each in _primary_first(target, "phone_numbers"))
    name = target_name(target)
    organization = str(target.get("organization", ""))
    return Addressee(
        name,
        organization if organization != name else "",
        text,
        email,
        tuple({each.link: each for each in phones if each}.values()),
        first_address(target),
        mail_links([email], subject, text) if kind == EMAIL and email else None,
    )


def _primary_first(target: Target, name: str) -> Sequence[Mapping[str, Any]]:
    """Returns the entries of an array of a target, such as `phone_numbers`, the primary one first."""
    entries: Sequence[Mapping[str, Any]] = target.get(name, ())
    return sorted(entries, key=lambda entry: not entry.get("primary"))


def _sender(person: Mapping[str, Any]) -> tuple[str, ...]:
    name = " ".join(str(person[part]) for part in ("given_name", "family_name") if person.get(part))
    address = next((address_lines(each) for each in person.get("postal_addresses", ())), ())
    return (name, *address) if name else tuple(address)
