"""Field types of the standard: string, strings[], datetime, enum, flexenum, identifier and others.

The fields accept liberal input (the standard's "Flexibility and Server Behavior"), and osdi.values reads it, as in
imports: a string for an array of strings, enum values in any case, digits for a number, a number for a text. Invalid
values raise a ValidationError that names the property. Every type has a limit, because the server is open to the
internet.
"""

from schemas.base.fields.arrays import CustomFields, Identifiers, Objects, Strings, without_limit
from schemas.base.fields.contacts import PLAIN_ADDRESS, Email, PhoneNumber
from schemas.base.fields.scalars import Bool, DateTime, WholeNumber
from schemas.base.fields.text import Enum, FlexEnum, FreeText, Identifier, LiberalText, Reason, Text, is_empty

__all__ = (
    "PLAIN_ADDRESS",
    "Bool",
    "CustomFields",
    "DateTime",
    "Email",
    "Enum",
    "FlexEnum",
    "FreeText",
    "Identifier",
    "Identifiers",
    "LiberalText",
    "Objects",
    "PhoneNumber",
    "Reason",
    "Strings",
    "Text",
    "WholeNumber",
    "is_empty",
    "without_limit",
)
