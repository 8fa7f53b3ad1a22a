"""What collections can be filtered by: per resource the names, their types, and how a document holds their values.

A name is a path of the standard's page with `/` between an object and its property, or one of the virtual fields of
"Filtering Collections" (`README.md` of the standard). Properties of an array's entries are named like those of an
object: any entry will do. docs/filtering.md lists it all for users; tests hold it, the schemas and that page together.

Pure data, and pure rules of the form in which a type is stored.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from osdi.odata.fields import TYPES, FilterField, FilterFields
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER, Resource

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
