"""Fields of a person (`people.md`).

Add a new field at the end of the table, so that its CSV column follows the present ones.
"""

from typing import Final

from osdi.fields.contacts import CONTACT_FIELDS, EMPLOYER_ADDRESS
from osdi.fields.definition import (
    ORIGIN_SYSTEM,
    Bool,
    CustomFields,
    DateTime,
    Enum,
    FlexEnum,
    LiberalText,
    Object,
    Objects,
    ObjectType,
    Strings,
    Table,
    Text,
    WholeNumber,
)
from osdi.fields.limits import LINE_LENGTH, PERSON_ENTRIES

PARTIES: Final = ("None", "Democratic", "Republican", "Independent")

BIRTHDATE: Final = ObjectType(
    "Birthdate",
    "A birth date. Any part can be absent.",
    (WholeNumber("month", 1, 12), WholeNumber("day", 1, 31), WholeNumber("year", 1, 9999)),
)
GENDER_PRONOUNS: Final = ObjectType(
    "GenderPronouns",
    "The pronouns of a person; `posessive` is the standard's spelling.",
    (
        FlexEnum("subject", ("She", "He", "They")),
        FlexEnum("object", ("Her", "Him", "Them")),
        FlexEnum("posessive", ("Hers", "His", "Theirs")),
    ),
)
PARTY: Final = ObjectType(
    "Party",
    "A party registration, past or present.",
    (FlexEnum("identification", PARTIES), DateTime("last_verified_date"), Bool("active")),
)
PROFILE: Final = ObjectType(
    "Profile",
    "An online profile.",
    (Text("provider", LINE_LENGTH), LiberalText("id", LINE_LENGTH), Text("url"), Text("handle", LINE_LENGTH)),
)
DIVISION: Final = ObjectType(
    "Division",
    "A political division.",
    (LiberalText("id", LINE_LENGTH), Text("name", LINE_LENGTH), Text("ocd_id", LINE_LENGTH)),
)
DIVISION_INFO: Final = ObjectType(
    "DivisionInfo",
    "The divisions of one kind in which a person lives.",
    (
        LiberalText("id", LINE_LENGTH),
        Text("name", LINE_LENGTH),
        Objects("divisions", DIVISION, PERSON_ENTRIES),
    ),
)

PERSON_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("family_name", LINE_LENGTH),
    Text("given_name", LINE_LENGTH),
    Text("additional_name", LINE_LENGTH),
    Text("honorific_prefix", LINE_LENGTH),
    Text("honorific_suffix", LINE_LENGTH),
    Enum("gender", ("Female", "Male", "Other"), spelling="gender"),
    Text("gender_identity", LINE_LENGTH),
    Strings("additional_gender_identities"),
    Object("gender_pronouns", GENDER_PRONOUNS, whole=True),
    FlexEnum("party_identification", PARTIES),
    Objects("parties", PARTY, PERSON_ENTRIES, same_by=(("identification",),)),
    Text("source", LINE_LENGTH),
    Strings("ethnicities"),
    Strings("languages_spoken"),
    Text("preferred_language", LINE_LENGTH),
    Text("browser_url"),
    Text("administrative_url"),
    Object("birthdate", BIRTHDATE, whole=True, column_per_property=True),
    Text("employer", LINE_LENGTH),
    Text("work_title", LINE_LENGTH),
    Text("work_department", LINE_LENGTH),
    Object("employer_address", EMPLOYER_ADDRESS, whole=True),
    Text("occupation", LINE_LENGTH),
    *CONTACT_FIELDS,
    Objects("profiles", PROFILE, PERSON_ENTRIES, same_by=(("provider",), ("id", "url", "handle"))),
    CustomFields("custom_fields"),
    Objects("division_info", DIVISION_INFO, PERSON_ENTRIES, same_by=(("id", "name"),)),
)
