"""What collections can be filtered by: per resource the names, their types, and how a document holds their values.

A name is a path of the standard's page with `/` between an object and its property, or one of the virtual fields of
"Filtering Collections" (`README.md` of the standard). Properties of an array's entries are named like those of an
object: any entry will do. docs/filtering.md lists it all for users; tests hold it, the schemas and that page together.

Pure data, and pure rules of the form in which a type is stored.
"""

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from osdi.matching import email_key, phone_key
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER, Resource

FieldType = Literal["string", "integer", "number", "boolean", "date", "identifier", "email", "phone"]
TYPES: Final[tuple[FieldType, ...]] = get_args(FieldType)

KEY_PREFIXES: Final[Mapping[str, str]] = {"identifier": "id:", "email": "email:", "phone": "phone:"}
NEEDED: Final[Mapping[str, str]] = {
    "integer": "a number without quotes, such as 5",
    "number": "a number without quotes, such as 1.5",
    "boolean": "true or false, without quotes",
    "date": "an ISO 8601 date and time, such as '2014-03-18T11:02:15Z'",
}
TEXT_NEEDED: Final = "text in single quotes, such as 'Jane'"
LOST_PLUS: Final = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d(?::?\d\d)?)$")
MAX_CONTACT_LENGTH: Final = 254


@dataclass(frozen=True)
class Stored:
    """A value in the form in which documents hold it at `path`, behind the prefix of its kind of keys."""

    path: str
    value: Any
    prefix: str = ""
    ignore_case: bool = False


@dataclass(frozen=True)
class FilterField:
    """A field's type and its path in the stored document.

    `keys` is the array that holds its values once more as keys of osdi.matching: normalised, behind the prefix of their
    kind, and indexed. Such a field is compared by key.
    """

    type: FieldType
    path: str
    keys: str | None = None

    @property
    def is_text(self) -> bool:
        return self.type not in NEEDED

    @property
    def has_case(self) -> bool:
        """Whether letter case makes a difference, unless a filter says otherwise."""
        return self.type in ("string", "identifier")

    def stored(self, value: object, phone_region: str, *, part: bool = False) -> Stored:
        """The form in which documents hold `value`, or a `part` of such a value.

        Raises ValueError, which says what the field needs, where it is none of the field's type.
        """
        if self.is_text:
            return self._stored_text(value, phone_region, part=part)
        if self.type == "date" and isinstance(value, str):
            value = moment(value)
        fits = {"boolean": bool, "date": dt.datetime}.get(self.type, int | float)
        if not isinstance(value, fits) or (isinstance(value, bool) and self.type != "boolean"):
            raise ValueError(NEEDED[self.type])
        return Stored(self.path, value)

    def _stored_text(self, value: object, phone_region: str, *, part: bool) -> Stored:
        if not isinstance(value, str):
            raise ValueError(TEXT_NEEDED)
        if self.type in ("email", "phone") and len(value) > MAX_CONTACT_LENGTH:
            raise ValueError(f"text of at most {MAX_CONTACT_LENGTH} characters")
        if self.keys is None:
            return Stored(self.path, value, ignore_case=self.type == "email")
        prefix = KEY_PREFIXES[self.type]
        if self.type == "email":
            value = email_key(value).removeprefix(prefix) if "@" in value and not part else _folded(value)
        elif self.type == "phone" and part:
            value = _phone_part(value)
        elif self.type == "phone":
            key = phone_key({"number": value}, phone_region)
            if key is None:  # too short for one
                return Stored(self.path, value)
            value = key.removeprefix(prefix)
        return Stored(self.keys, value, prefix)


def moment(text: str) -> dt.datetime:
    """An ISO 8601 date and time as it is stored: naive UTC of milliseconds. Raises ValueError."""
    try:
        # The "+" of an offset that a client did not percent-encode arrives as a space.
        read = dt.datetime.fromisoformat(LOST_PLUS.sub(r"\1+\2", text.strip()))
        read = read.astimezone(dt.UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError):
        raise ValueError(NEEDED["date"]) from None
    return read.replace(microsecond=read.microsecond // 1000 * 1000)


def _folded(text: str) -> str:
    """A part of an e-mail address, as osdi.matching writes it in its keys."""
    return unicodedata.normalize("NFKC", text).lower()


def _phone_part(text: str) -> str:
    """The digits in a part of a phone number. Raises ValueError where there are none."""
    digits = "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())
    if not digits:
        raise ValueError("digits in single quotes, such as '+1 987'")
    return digits


@dataclass(frozen=True)
class FilterFields:
    """The fields of one resource, by name.

    `open_objects` have properties of any name, all of one type (`custom_fields`). `refused` are fields of the page
    that nobody can filter by, with the reason.
    """

    fields: Mapping[str, FilterField]
    aliases: Mapping[str, str] = field(default_factory=dict)
    open_objects: Mapping[str, FieldType] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def find(self, parts: Sequence[str]) -> FilterField | None:
        """The field with these parts of a path, or None."""
        if len(parts) == 2 and parts[0] in self.open_objects:
            # Other names are never stored, see schemas.fields.CustomFields.
            if not 1 <= len(parts[1]) <= 200 or "." in parts[1] or parts[1].startswith("$"):
                return None
            return FilterField(self.open_objects[parts[0]], ".".join(parts))
        name = "/".join(parts)
        return self.fields.get(self.aliases.get(name, name))

    def why_not(self, parts: Sequence[str]) -> str:
        """Why there is no such field to filter by, and which ones are near."""
        name = "/".join(parts)
        if name in self.refused:
            return f"{name} cannot be filtered by: {self.refused[name]}"
        if parts[0] in self.open_objects:
            return f"{parts[0]} is filtered by one of its names, such as {parts[0]}/colour or {parts[0]}/'shirt size'"
        within = [each for each in self.fields if each.startswith(f"{name}/")]
        near = within or difflib.get_close_matches(name[:100], [*self.fields, *self.aliases], n=3)
        return f"there is no field {shortened(name)} to filter by" + (f"; near are {', '.join(near)}" if near else "")


def shortened(text: str) -> str:
    """What a client wrote, as it is told back in a message: not at any length."""
    return text if len(text) <= 60 else f"{text[:60]}..."


Fields = dict[str, FilterField]


def _part(within: str = "", **names: str) -> Fields:
    """The fields of the object or array `within`, or of the page itself: by type the names, a space between them."""
    paths = [(f"{within}/{name}" if within else name, kind) for kind in TYPES for name in names.get(kind, "").split()]
    return {path: FilterField(kind, path.replace("/", ".")) for path, kind in paths}


def _contacts(within: str = "") -> Fields:
    """Contact details, compared as they are written, but e-mail addresses in any letter case."""
    place = "address_type venue address_lines locality region postal_code country language status occupation"
    return {
        **_part(f"{within}postal_addresses", boolean="primary", string=place, date="last_verified_date"),
        **_part(f"{within}postal_addresses/location", number="latitude longitude", string="accuracy"),
        **_part(f"{within}email_addresses", boolean="primary", email="address", string="address_type status"),
        **_part(
            f"{within}phone_numbers",
            boolean="primary sms_capable do_not_call",
            string="number extension description number_type operator country",
        ),
    }


def _targets(within: str) -> Fields:
    return _part(within, string="title organization given_name family_name ocdid") | _contacts(f"{within}/")


COMMON: Final[Fields] = {
    "identifier": FilterField("identifier", "match_keys", keys="match_keys"),
    **_part(date="created_date modified_date"),
    **_part(string="origin_system"),
}
COMMON_ALIASES: Final = {"identifiers": "identifier", "created": "created_date", "modified": "modified_date"}

EMAIL: Final = FilterField("email", "email_addresses.address", keys="contact_keys")
PHONE: Final = FilterField("phone", "phone_numbers.number", keys="contact_keys")

PERSON_FIELDS: Final = FilterFields(
    {
        **COMMON,
        "email_address": EMAIL,
        "phone_number": PHONE,
        "postal_code": FilterField("string", "postal_addresses.postal_code"),
        "region": FilterField("string", "postal_addresses.region"),
        **_part(string="family_name given_name additional_name honorific_prefix honorific_suffix"),
        **_part(string="gender gender_identity additional_gender_identities"),
        **_part("gender_pronouns", string="subject object posessive"),
        **_part(string="party_identification source ethnicities languages_spoken preferred_language"),
        **_part("parties", string="identification", date="last_verified_date", boolean="active"),
        **_part(string="browser_url administrative_url"),
        **_part("birthdate", integer="month day year"),
        **_part(string="employer work_title work_department occupation"),
        **_part(
            "employer_address",
            string="venue address_lines locality region postal_code country language status",
        ),
        **_part("employer_address/location", number="latitude longitude", string="accuracy"),
        **_contacts(),
        "email_addresses/address": EMAIL,
        "phone_numbers/number": PHONE,
        **_part("profiles", string="provider id url handle"),
        **_part("division_info", string="id name"),
        **_part("division_info/divisions", string="id name ocd_id"),
    },
    aliases={
        **COMMON_ALIASES,
        "first_name": "given_name",
        "last_name": "family_name",
        "address/postal_code": "postal_code",
        "address/region": "region",
    },
    open_objects={"custom_fields": "string"},
)

OUTREACH_FIELDS: Final = FilterFields(
    {
        **COMMON,
        "target_given_name": FilterField("string", "targets.given_name"),
        "target_family_name": FilterField("string", "targets.family_name"),
        "target_ocdid": FilterField("string", "targets.ocdid"),
        **_part(date="action_date", string="type subject message notes", integer="duration"),
        **_part("referrer_data", string="source referrer website url"),
        **_targets("targets"),
    },
    aliases=COMMON_ALIASES,
)

ADVOCACY_CAMPAIGN_FIELDS: Final = FilterFields(
    {
        **COMMON,
        **_part(string="name title description templates summary targets type"),
        **_part(string="browser_url administrative_url featured_image_url share_url", integer="total_shares"),
        **_targets("target_list"),
        **_part("share_options/facebook_share", string="title description image share_url", integer="total_shares"),
        **_part("share_options/twitter_share", string="message share_url", integer="total_shares"),
        **_part("share_options/email_share", string="subject body share_url", integer="total_shares"),
    },
    aliases=COMMON_ALIASES,
    refused={"total_outreaches": "it is counted when a campaign is read"},
)

TAG_FIELDS: Final = FilterFields({**COMMON, **_part(string="name description")}, aliases=COMMON_ALIASES)

LIST_FIELDS: Final = FilterFields(
    {**COMMON, **_part(string="name title description summary browser_url administrative_url")},
    aliases=COMMON_ALIASES,
    refused={"total_items": "it is counted when a list is read"},
)

QUESTION_FIELDS: Final = FilterFields(
    {
        **COMMON,
        **_part(string="name title description summary question_type"),
        **_part("responses", string="key name title"),
    },
    aliases=COMMON_ALIASES,
)

MESSAGE_FIELDS: Final = FilterFields(
    {
        **COMMON,
        "target_href": FilterField("string", "targets.href"),
        **_part(string="name subject body from reply_to administrative_url browser_url type status"),
        **_part(date="scheduled_start_date scheduled_end_date sent_start_date sent_end_date"),
        **_part(integer="daily_start_hour daily_stop_hour"),
        **_part("targets", string="href"),
        **_part("sections", string="keyword auto_reply"),
    },
    aliases=COMMON_ALIASES,
)

WRAPPER_FIELDS: Final = FilterFields(
    {**COMMON, **_part(string="name header footer administrative_url wrapper_type", boolean="default")},
    aliases=COMMON_ALIASES,
)

FILTER_FIELDS: Final[Mapping[Resource, FilterFields]] = MappingProxyType(
    {
        PERSON: PERSON_FIELDS,
        OUTREACH: OUTREACH_FIELDS,
        ADVOCACY_CAMPAIGN: ADVOCACY_CAMPAIGN_FIELDS,
        TAG: TAG_FIELDS,
        LIST: LIST_FIELDS,
        QUESTION: QUESTION_FIELDS,
        MESSAGE: MESSAGE_FIELDS,
        WRAPPER: WRAPPER_FIELDS,
    }
)
