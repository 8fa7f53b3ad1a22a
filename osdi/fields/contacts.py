"""Fields of postal addresses, e-mail addresses, phone numbers and targets (`addresses.md`, `target_subobject.md`)."""

from typing import Final

from osdi.fields.definition import (
    Bool,
    DateTime,
    Email,
    Enum,
    FlexEnum,
    Float,
    LiberalText,
    Object,
    Objects,
    ObjectType,
    PhoneNumber,
    Strings,
    Table,
    Text,
)
from osdi.fields.limits import MAX_ADDRESS_LINES, MAX_CODE_LENGTH, MAX_CONTACTS, MAX_LINE_LENGTH

ISO_COUNTRY: Final = "ISO 3166-1 Alpha-2 code."
# In CSV the main entry has columns of its own, so `primary` needs none.
ONE_PRIMARY: Final = "At most one entry is primary."

LOCATION: Final = ObjectType(
    "Location",
    "The geographic location of an address.",
    (
        Float("latitude", -90, 90, description="Degrees north of the equator."),
        Float("longitude", -180, 180, description="Degrees east of Greenwich."),
        Enum("accuracy", ("Rooftop", "Approximate"), description="Precision of the coordinates."),
    ),
)

# The properties that the addresses of people, targets and employers share.
ADDRESS: Final = (
    Text("venue", MAX_LINE_LENGTH, column="venue", description="Name of the place, such as a building."),
    Strings(
        "address_lines", MAX_ADDRESS_LINES, column="address_lines", description="Street and house number, a line each."
    ),
    Text("locality", MAX_LINE_LENGTH, column="locality", description="City or town."),
    Text("region", MAX_LINE_LENGTH, column="region", description="The last part of the ISO 3166-2 code."),
    LiberalText("postal_code", MAX_CODE_LENGTH, column="postal_code", description="Postal code, such as a ZIP code."),
    Text("country", MAX_CODE_LENGTH, column="country", spelling="country", description=ISO_COUNTRY),
    Text("language", MAX_CODE_LENGTH, column="address_language", description="ISO 639 language code."),
    Object("location", LOCATION, column="location", description="Coordinates of the address."),
)

EMPLOYER_ADDRESS: Final = ObjectType(
    "EmployerAddress",
    "The address of a person's employer.",
    (*ADDRESS, Enum("status", ("Potential", "Verified", "Bad"), description="Quality of the address.")),
)

POSTAL_ADDRESS: Final = ObjectType(
    "PostalAddress",
    "A postal address of a person or target.",
    (
        *ADDRESS,
        Bool("primary", column=None, description=ONE_PRIMARY),
        Enum(
            "address_type",
            ("Home", "Work", "Mailing"),
            column="postal_address_type",
            description="Kind of the address.",
        ),
        Enum(
            "status",
            ("Potential", "Verified", "Bad", "Past"),
            column="postal_address_status",
            description="Quality of the address.",
        ),
        DateTime(
            "last_verified_date",
            column="postal_address_verified_date",
            description="Time at which the address was last verified.",
        ),
        Text(
            "occupation",
            MAX_LINE_LENGTH,
            column="postal_address_occupation",
            description="Occupation of the person at this address.",
        ),
    ),
)

EMAIL_ADDRESS: Final = ObjectType(
    "EmailAddress",
    "An e-mail address of a person or target.",
    (
        Bool("primary", column=None, description=ONE_PRIMARY),
        Email(
            "address", column="email_address", others_column="other_email_addresses", description="The e-mail address."
        ),
        FlexEnum(
            "address_type",
            ("personal", "work", "other"),
            column="email_address_type",
            others_column="other_email_address_types",
            description="Kind of the address.",
        ),
        Enum(
            "status",
            ("subscribed", "unsubscribed", "bouncing", "spam complaints"),
            column="email_status",
            others_column="other_email_statuses",
            spelling="status",
            unreadable="unsubscribed",
            description="Says if e-mails may be sent. An entry without an address means the primary address.",
        ),
    ),
)

PHONE_NUMBER: Final = ObjectType(
    "PhoneNumber",
    "A phone number of a person or target.",
    (
        Bool(
            "primary",
            column=None,
            description=ONE_PRIMARY,
            differs="A boolean, as in the other arrays; the page lists a string.",
        ),
        PhoneNumber(
            "number",
            column="phone_number",
            others_column="other_phone_numbers",
            description="With the country code. Only the digits are compared.",
        ),
        LiberalText(
            "extension",
            MAX_CODE_LENGTH,
            column="phone_extension",
            others_column="other_phone_extensions",
            description="Extension that is dialled after the number.",
        ),
        Text(
            "description",
            MAX_LINE_LENGTH,
            column="phone_description",
            others_column="other_phone_descriptions",
            description="Note about the number, such as its owner.",
        ),
        FlexEnum(
            "number_type",
            ("Home", "Work", "Mobile", "Other", "Daytime", "Evening", "Fax"),
            column="phone_number_type",
            others_column="other_phone_number_types",
            description="Kind of the number.",
        ),
        Text(
            "operator",
            MAX_LINE_LENGTH,
            column="phone_operator",
            others_column="other_phone_operators",
            description="Telephone company of the number.",
        ),
        Text(
            "country",
            MAX_CODE_LENGTH,
            column="phone_country",
            others_column="other_phone_countries",
            spelling="country",
            description=ISO_COUNTRY,
        ),
        Bool(
            "sms_capable",
            column="sms_capable",
            others_column="other_sms_capable",
            unreadable=False,
            description="True: the number can receive texts. False: nobody may text it.",
        ),
        Bool(
            "do_not_call",
            column="do_not_call",
            others_column="other_do_not_call",
            unreadable=True,
            description="True: nobody may call this number.",
        ),
    ),
)

CONTACT_FIELDS: Final[Table] = (
    Objects(
        "postal_addresses",
        POSTAL_ADDRESS,
        MAX_CONTACTS,
        same_by="postal address",
        others_column="other_postal_addresses",
        description="Postal addresses.",
    ),
    Objects("email_addresses", EMAIL_ADDRESS, MAX_CONTACTS, same_by="email address", description="E-mail addresses."),
    Objects("phone_numbers", PHONE_NUMBER, MAX_CONTACTS, same_by="phone number", description="Phone numbers."),
)

# Targets are officials: an erasure removes their contact details, but not their name and office.
TARGET: Final = ObjectType(
    "Target",
    "An official to whom an outreach or campaign is addressed (`target_subobject.md`).",
    (
        *CONTACT_FIELDS,
        Text("title", MAX_LINE_LENGTH, after_erasure="kept", description="Office or form of address, such as Senator."),
        Text(
            "organization",
            MAX_LINE_LENGTH,
            after_erasure="kept",
            description="Organization that the target works for, such as a parliament.",
        ),
        Text("given_name", MAX_LINE_LENGTH, after_erasure="kept", description="First name of the target."),
        Text("family_name", MAX_LINE_LENGTH, after_erasure="kept", description="Last name of the target."),
        Text("ocdid", MAX_LINE_LENGTH, after_erasure="kept", description="Open Civic Data division identifier."),
    ),
)
