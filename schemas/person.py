"""A person (`people.md`); the fields are in osdi.fields.person."""

from typing import Any

from osdi.fields.contacts import CONTACT_FIELDS
from osdi.fields.definition import names
from osdi.fields.person import PERSON_FIELDS
from schemas.base.common import ConsentFlags, OsdiSchema, ResourceSchema, links
from schemas.base.fields import Identifiers


class ContactsSchema(OsdiSchema):
    """The three arrays of contact details. The OpenAPI document lists them first."""

    table = CONTACT_FIELDS


class PersonFieldsSchema(ConsentFlags, ContactsSchema):
    """The fields of a person that a client may set, inline in a helper's body or as the whole body."""

    table = PERSON_FIELDS


class InlinePersonSchema(PersonFieldsSchema):
    """The person inside a helper's body."""

    identifiers = Identifiers()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Clients may send a person back as they received it.
        self._in_responses |= {"created_date", "modified_date", "_links", "_embedded"}


class PersonSchema(ResourceSchema, PersonFieldsSchema):
    """A person as a resource."""

    rel = "osdi:person"
    unlimited_in_responses = ("identifiers", *names(PERSON_FIELDS))
    _links = links("self", "osdi:outreaches", "osdi:taggings", "osdi:items", "osdi:answers")
