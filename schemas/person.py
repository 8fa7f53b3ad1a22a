"""A person, with every field of the standard's Person page (`people.md`)."""

import marshmallow as ma

from schemas.base.addresses import ContactsSchema, EmployerAddressSchema
from schemas.base.common import OsdiSchema, ResourceSchema, links
from schemas.base.fields import (
    Bool,
    CustomFields,
    DateTime,
    Enum,
    FlexEnum,
    Identifiers,
    LiberalText,
    Objects,
    Strings,
    Text,
    WholeNumber,
)
from schemas.base.limits import LINE_LENGTH, PERSON_ENTRIES

PARTIES = ("None", "Democratic", "Republican", "Independent")


class BirthdateSchema(OsdiSchema):
    """A birth date, of which any part may be unknown."""

    month = WholeNumber(minimum=1, maximum=12)
    day = WholeNumber(minimum=1, maximum=31)
    year = WholeNumber(minimum=1, maximum=9999)


class GenderPronounsSchema(OsdiSchema):
    """How a person wants to be referred to; `posessive` is the standard's spelling."""

    subject = FlexEnum("She", "He", "They")
    object = FlexEnum("Her", "Him", "Them")
    posessive = FlexEnum("Hers", "His", "Theirs")


class PartySchema(OsdiSchema):
    """A party registration, past or present."""

    identification = FlexEnum(*PARTIES)
    last_verified_date = DateTime()
    active = Bool()


class ProfileSchema(OsdiSchema):
    """An online profile."""

    provider = Text(max_length=LINE_LENGTH)
    id = LiberalText(max_length=LINE_LENGTH)
    url = Text()
    handle = Text(max_length=LINE_LENGTH)


class DivisionSchema(OsdiSchema):
    """A political division."""

    id = LiberalText(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH)
    ocd_id = Text(max_length=LINE_LENGTH)


class DivisionInfoSchema(OsdiSchema):
    """The divisions of one kind that a person lives in."""

    id = LiberalText(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH)
    divisions = Objects(DivisionSchema, limit=PERSON_ENTRIES)


class PersonFieldsSchema(ContactsSchema):
    """The fields of a person that a client may set, inline in a helper or in a body of its own."""

    origin_system = Text(max_length=LINE_LENGTH)
    family_name = Text(max_length=LINE_LENGTH)
    given_name = Text(max_length=LINE_LENGTH)
    additional_name = Text(max_length=LINE_LENGTH)
    honorific_prefix = Text(max_length=LINE_LENGTH)
    honorific_suffix = Text(max_length=LINE_LENGTH)
    gender = Enum("Female", "Male", "Other")
    gender_identity = Text(max_length=LINE_LENGTH)
    additional_gender_identities = Strings()
    gender_pronouns = ma.fields.Nested(GenderPronounsSchema)
    party_identification = FlexEnum(*PARTIES)
    parties = Objects(PartySchema, limit=PERSON_ENTRIES)
    source = Text(max_length=LINE_LENGTH)
    ethnicities = Strings()
    languages_spoken = Strings()
    preferred_language = Text(max_length=LINE_LENGTH)
    browser_url = Text()
    administrative_url = Text()
    birthdate = ma.fields.Nested(BirthdateSchema)
    employer = Text(max_length=LINE_LENGTH)
    work_title = Text(max_length=LINE_LENGTH)
    work_department = Text(max_length=LINE_LENGTH)
    employer_address = ma.fields.Nested(EmployerAddressSchema)
    occupation = Text(max_length=LINE_LENGTH)
    profiles = Objects(ProfileSchema, limit=PERSON_ENTRIES)
    custom_fields = CustomFields()
    division_info = Objects(DivisionInfoSchema, limit=PERSON_ENTRIES)


class InlinePersonSchema(PersonFieldsSchema):
    """The person inside a helper's body."""

    identifiers = Identifiers()


class PersonSchema(ResourceSchema, PersonFieldsSchema):
    """A person as a resource of their own."""

    rel = "osdi:person"
    adding_up = ("identifiers", *PersonFieldsSchema().fields)
    _links = links("self", "osdi:outreaches", "osdi:taggings", "osdi:items", "osdi:answers")
