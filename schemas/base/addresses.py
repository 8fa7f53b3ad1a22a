"""Postal addresses, e-mail addresses and phone numbers, which people and targets both have (`addresses.md`)."""

import marshmallow as ma

from schemas.base.common import OsdiSchema
from schemas.base.fields import Bool, DateTime, Email, Enum, FlexEnum, LiberalText, Objects, PhoneNumber, Strings, Text
from schemas.base.limits import ADDRESS_LINES, CODE_LENGTH, CONTACTS, LINE_LENGTH


class LocationSchema(OsdiSchema):
    """Where an address lies."""

    latitude = ma.fields.Float(validate=ma.validate.Range(-90, 90))
    longitude = ma.fields.Float(validate=ma.validate.Range(-180, 180))
    accuracy = Enum("Rooftop", "Approximate")


class AddressSchema(OsdiSchema):
    """The parts that a person's, a target's and an employer's address share."""

    venue = Text(max_length=LINE_LENGTH)
    address_lines = Strings(limit=ADDRESS_LINES)
    locality = Text(max_length=LINE_LENGTH)
    region = Text(max_length=LINE_LENGTH, metadata={"description": "The last part of the ISO 3166-2 code."})
    postal_code = LiberalText(max_length=CODE_LENGTH)
    country = Text(max_length=CODE_LENGTH, metadata={"description": "ISO 3166-1 Alpha-2 code."})
    language = Text(max_length=CODE_LENGTH, metadata={"description": "ISO 639 language code."})
    location = ma.fields.Nested(LocationSchema)


class EmployerAddressSchema(AddressSchema):
    """The address of a person's employer."""

    status = Enum("Potential", "Verified", "Bad")


class PostalAddressSchema(AddressSchema):
    """A postal address of a person or target."""

    primary = Bool(metadata={"description": "One entry at most is primary."})
    address_type = Enum("Home", "Work", "Mailing")
    status = Enum("Potential", "Verified", "Bad", "Past")
    last_verified_date = DateTime()
    occupation = Text(max_length=LINE_LENGTH)


class EmailAddressSchema(OsdiSchema):
    """An e-mail address of a person or target."""

    primary = Bool(metadata={"description": "One entry at most is primary."})
    address = Email()
    address_type = FlexEnum("personal", "work", "other")
    status = Enum(
        *("subscribed", "unsubscribed", "bouncing", "spam complaints"),
        metadata={"description": "Whether mails may be sent. Without an address it is about the primary one."},
    )


class PhoneNumberSchema(OsdiSchema):
    """A phone number of a person or target."""

    primary = Bool(metadata={"description": "One entry at most is primary."})
    number = PhoneNumber(metadata={"description": "With country code; compared by its digits."})
    extension = LiberalText(max_length=CODE_LENGTH)
    description = Text(max_length=LINE_LENGTH)
    number_type = FlexEnum("Home", "Work", "Mobile", "Other", "Daytime", "Evening", "Fax")
    operator = Text(max_length=LINE_LENGTH)
    country = Text(max_length=CODE_LENGTH, metadata={"description": "ISO 3166-1 Alpha-2 code."})
    sms_capable = Bool()
    do_not_call = Bool()


class ContactsSchema(OsdiSchema):
    """The three arrays of contact details."""

    postal_addresses = Objects(PostalAddressSchema, limit=CONTACTS)
    email_addresses = Objects(EmailAddressSchema, limit=CONTACTS)
    phone_numbers = Objects(PhoneNumberSchema, limit=CONTACTS)


class TargetSchema(ContactsSchema):
    """Somebody whom an outreach or campaign addresses (`target_subobject.md`)."""

    title = Text(max_length=LINE_LENGTH)
    organization = Text(max_length=LINE_LENGTH)
    given_name = Text(max_length=LINE_LENGTH)
    family_name = Text(max_length=LINE_LENGTH)
    ocdid = Text(max_length=LINE_LENGTH, metadata={"description": "Open Civic Data division identifier."})
