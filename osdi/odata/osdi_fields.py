"""Fields that a filter can name: for each resource their names, their types, and where a document holds their values.

They are made of the tables in osdi.fields. A name is a path of the standard's page with `/` between an object and its
property. Properties of an array's entries are named like those of an object: any entry will do. Only the virtual fields
of "Filtering Collections" (`README.md` of the standard), the aliases, and the fields that are compared by key are
listed here. `make docs` writes all names to docs/filtering.md.

Pure data.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from osdi.fields import definition as table
from osdi.fields.outreach import NEW_PERSON, OWN_WORDS
from osdi.odata.fields import FieldType, FilterField, FilterFields
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER, Resource
from osdi.values.names import SEARCHED

FILTER_TYPES: Final[Mapping[type[table.Field], FieldType]] = {
    table.Text: "string",
    table.LiberalText: "string",
    table.Enum: "string",
    table.FlexEnum: "string",
    table.Strings: "string",
    table.Email: "email",
    table.PhoneNumber: "string",
    table.Bool: "boolean",
    table.WholeNumber: "integer",
    table.Float: "number",
    table.DateTime: "date",
}

COMMON: Final[Mapping[str, FilterField]] = {
    "identifier": FilterField("identifier", "match_keys", keys="match_keys"),
    "created_date": FilterField("date", "created_date"),
    "modified_date": FilterField("date", "modified_date"),
}
COMMON_ALIASES: Final = {"identifiers": "identifier", "created": "created_date", "modified": "modified_date"}

# People's contact details are compared by key, and those of targets as they are written.
EMAIL: Final = FilterField("email", "email_addresses.address", keys="contact_keys")
PHONE: Final = FilterField("phone", "phone_numbers.number", keys="contact_keys")
PERSON_KEYS: Final = {"email_addresses/address": EMAIL, "phone_numbers/number": PHONE}

# A search by the beginning of a name compares with the words of these.
PERSON_NAMES: Final = {name: FilterField("string", name, name_of_person=True) for name in SEARCHED}

# The virtual fields of the standard.
VIRTUAL: Final[Mapping[Resource, Mapping[str, FilterField]]] = {
    PERSON: {
        "email_address": EMAIL,
        "phone_number": PHONE,
        "postal_code": FilterField("string", "postal_addresses.postal_code"),
        "region": FilterField("string", "postal_addresses.region"),
    },
    OUTREACH: {
        "target_name": FilterField("string", "targets", name_of_target=True),
        OWN_WORDS: FilterField("boolean", OWN_WORDS),
        NEW_PERSON: FilterField("boolean", NEW_PERSON),
        "target_given_name": FilterField("string", "targets.given_name"),
        "target_family_name": FilterField("string", "targets.family_name"),
        "target_ocdid": FilterField("string", "targets.ocdid"),
    },
    MESSAGE: {"target_href": FilterField("string", "targets.href")},
}
PERSON_ALIASES: Final = {
    "first_name": "given_name",
    "last_name": "family_name",
    "address/postal_code": "postal_code",
    "address/region": "region",
}


def _properties(fields: table.Table, *path: str) -> Iterator[tuple[str, FilterField]]:
    for each in fields:
        names = (*path, each.name)
        if type(each) in FILTER_TYPES and not each.not_filtered:
            spelling = each.spelling if isinstance(each, table.Text | table.Enum) else ""
            yield "/".join(names), FilterField(FILTER_TYPES[type(each)], ".".join(names), spelling=spelling)
        elif not each.not_filtered:
            yield from _properties(table.properties(each), *names)


def _filter_fields(resource: Resource) -> FilterFields:
    is_person = resource is PERSON
    return FilterFields(
        {
            **COMMON,
            **VIRTUAL.get(resource, {}),
            **dict(_properties(resource.table)),
            **({**PERSON_KEYS, **PERSON_NAMES} if is_person else {}),
        },
        aliases=COMMON_ALIASES | (PERSON_ALIASES if is_person else {}),
        open_objects={each.name: "string" for each in resource.table if isinstance(each, table.CustomFields)},
        not_filtered={each.name: each.not_filtered for each in resource.table if each.not_filtered},
    )


FILTER_FIELDS: Final[Mapping[Resource, FilterFields]] = MappingProxyType(
    {
        resource: _filter_fields(resource)
        for resource in (PERSON, OUTREACH, ADVOCACY_CAMPAIGN, TAG, LIST, QUESTION, MESSAGE, WRAPPER)
    }
)
