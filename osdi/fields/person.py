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
from osdi.fields.limits import MAX_LINE_LENGTH, MAX_PERSON_ENTRIES

PARTIES: Final = ("None", "Democratic", "Republican", "Independent")

BIRTHDATE: Final = ObjectType(
    "Birthdate",
    "A birth date. Any part can be absent.",
    (
        WholeNumber("month", 1, 12, description="Month, 1 to 12."),
        WholeNumber("day", 1, 31, description="Day of the month."),
        WholeNumber("year", 1, 9999, description="Year with four digits."),
    ),
)
GENDER_PRONOUNS: Final = ObjectType(
    "GenderPronouns",
    "The pronouns of a person; `posessive` is the standard's spelling.",
    (
        FlexEnum("subject", ("She", "He", "They"), description="Pronoun as a subject."),
        FlexEnum("object", ("Her", "Him", "Them"), description="Pronoun as an object."),
        FlexEnum("posessive", ("Hers", "His", "Theirs"), description="Possessive pronoun."),
    ),
)
PARTY: Final = ObjectType(
    "Party",
    "A party registration, past or present.",
    (
        FlexEnum("identification", PARTIES, description="The party."),
        DateTime("last_verified_date", description="Time at which the registration was last verified."),
        Bool("active", description="True: the registration is in force."),
    ),
)
PROFILE: Final = ObjectType(
    "Profile",
    "An online profile.",
    (
        Text("provider", MAX_LINE_LENGTH, description="Site of the profile, such as Mastodon."),
        LiberalText("id", MAX_LINE_LENGTH, description="Id that the site gives the person."),
        Text("url", description="Address of the profile."),
        Text("handle", MAX_LINE_LENGTH, description="Name of the person on the site."),
    ),
)
DIVISION: Final = ObjectType(
    "Division",
    "A political division.",
    (
        LiberalText("id", MAX_LINE_LENGTH, description="Id of the division in its source."),
        Text("name", MAX_LINE_LENGTH, description="Name of the division."),
        Text("ocd_id", MAX_LINE_LENGTH, description="Open Civic Data division identifier."),
    ),
)
DIVISION_INFO: Final = ObjectType(
    "DivisionInfo",
    "The divisions of one kind in which a person lives.",
    (
        LiberalText("id", MAX_LINE_LENGTH, description="Id of the kind of division."),
        Text("name", MAX_LINE_LENGTH, description="Name of the kind, such as State Senate District."),
        Objects("divisions", DIVISION, MAX_PERSON_ENTRIES, description="The divisions of this kind."),
    ),
)

PERSON_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("family_name", MAX_LINE_LENGTH, description="Last name."),
    Text("given_name", MAX_LINE_LENGTH, description="First name."),
    Text("additional_name", MAX_LINE_LENGTH, description="Middle name."),
    Text("honorific_prefix", MAX_LINE_LENGTH, description="Title before the name, such as Dr."),
    Text("honorific_suffix", MAX_LINE_LENGTH, description="Title after the name, such as Jr."),
    Enum("gender", ("Female", "Male", "Other"), spelling="gender", description="Gender."),
    Text("gender_identity", MAX_LINE_LENGTH, description="Gender in the person's own word."),
    Strings("additional_gender_identities", description="More words for the person's gender."),
    Object("gender_pronouns", GENDER_PRONOUNS, whole=True, description="Pronouns."),
    FlexEnum("party_identification", PARTIES, description="Party that the person names."),
    Objects("parties", PARTY, MAX_PERSON_ENTRIES, same_by=(("identification",),), description="Party registrations."),
    Text("source", MAX_LINE_LENGTH, description="Code of the source from which the person came."),
    Strings("ethnicities", description="Ethnicities."),
    Strings("languages_spoken", description="Languages that the person speaks."),
    Text("preferred_language", MAX_LINE_LENGTH, description="Language in which the person wants to be written to."),
    Text("browser_url", description="Page about the person for readers."),
    Text("administrative_url", description="Page about the person for staff."),
    Object("birthdate", BIRTHDATE, whole=True, column_per_property=True, description="Birth date."),
    Text("employer", MAX_LINE_LENGTH, description="Name of the employer."),
    Text("work_title", MAX_LINE_LENGTH, description="Job title."),
    Text("work_department", MAX_LINE_LENGTH, description="Department at the employer."),
    Object("employer_address", EMPLOYER_ADDRESS, whole=True, description="Address of the employer."),
    Text("occupation", MAX_LINE_LENGTH, description="Occupation."),
    *CONTACT_FIELDS,
    Objects(
        "profiles",
        PROFILE,
        MAX_PERSON_ENTRIES,
        same_by=(("provider",), ("id", "url", "handle")),
        description="Online profiles.",
    ),
    CustomFields("custom_fields", description="Fields of your own: names and texts."),
    Objects(
        "division_info",
        DIVISION_INFO,
        MAX_PERSON_ENTRIES,
        same_by=(("id", "name"),),
        description="Political divisions in which the person lives.",
    ),
)
