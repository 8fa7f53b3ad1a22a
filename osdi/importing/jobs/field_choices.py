"""The fields that a page offers for a column, in words, and the columns of a job with their choices. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from osdi.documents import ReadOnlyDocument
from osdi.importing.csv_files.column_mapping import IGNORED, NAME, OUTREACHES, PEOPLE, known_field
from osdi.importing.csv_files.consent_columns import DOUBTFUL
from osdi.importing.jobs.options import CUSTOM, LEFT_OUT, custom_field

# Groups of fields and their names.
OF_PERSON: Final[Mapping[str, Mapping[str, str]]] = {
    "Name": {
        "given_name": "Given name",
        "family_name": "Family name",
        "name": "Full name",
        "additional_name": "Additional name",
        "honorific_prefix": "Title before the name",
        "honorific_suffix": "Title behind the name",
    },
    "Contact": {
        "email_addresses[0].address": "E-mail address",
        "email_addresses[1].address": "Second e-mail address",
        "email_addresses[0].status": "Status of the e-mail address",
        "phone_numbers[0].number": "Phone number",
        "phone_numbers[mobile].number": "Mobile number",
        "phone_numbers[work].number": "Phone number at work",
    },
    "Who wants no messages": {
        "opted_out": "Yes means: no e-mails",
        "opted_in": "Yes means: e-mails, no means: no e-mails",
        "no_calls": "Yes means: no calls",
        "calls_opted_in": "No means: no calls",
        "no_texts": "Yes means: no texts",
        "texts_opted_in": "Yes means: texts, no means: no texts",
        "no_contact": "Yes means: no e-mails, calls and texts",
        "contact_allowed": "No means: no e-mails, calls and texts",
        "bounced": "Yes means: the address bounces",
    },
    "Postal address": {
        "postal_addresses[0].address_lines": "Street and number",
        "postal_addresses[0].locality": "Town",
        "postal_addresses[0].region": "Region or state",
        "postal_addresses[0].postal_code": "Postal code",
        "postal_addresses[0].country": "Country",
    },
    "Person": {
        "birthdate": "Birth date",
        "gender": "Gender",
        "languages_spoken": "Languages spoken",
        "preferred_language": "Preferred language",
        "employer": "Employer",
        "occupation": "Occupation",
        "party_identification": "Party",
    },
}
# These have no prefix in a file of outreaches.
LABELS: Final = {"add_tags": "Tags", "add_lists": "Lists"}
OF_OUTREACH: Final[Mapping[str, str]] = {
    "action_date": "Date",
    "type": "Type",
    "subject": "Subject",
    "message": "Message",
    "notes": "Notes",
    "duration": "Duration",
    "advocacy_campaign_id": "Id of the campaign",
    "identifiers": "Identifiers",
}


@dataclass(frozen=True)
class ColumnRow:
    """A column: the field that is proposed, why, the member's choice, and True if the member has to choose."""

    index: int
    name: str
    proposed: str
    because: str
    chosen: str
    doubtful: bool


def field_groups(kind: str) -> dict[str, dict[str, str]]:
    """Returns the fields for a file of people or outreaches, by group: what a form sends, and the name of each."""
    if kind == PEOPLE:
        labels = {**LABELS, "identifiers": "Identifiers", "source": "Source"}
        return {**{name: dict(fields) for name, fields in OF_PERSON.items()}, "Labels": labels}
    people = {name: {_of_person(path): text for path, text in fields.items()} for name, fields in OF_PERSON.items()}
    return {"Outreach": dict(OF_OUTREACH), **people, "Labels": dict(LABELS)}


def _of_person(path: str) -> str:
    """Returns a field of the person in a file of outreaches; a full name has no path, only a known name."""
    return path if path == NAME else f"person.{path}"


@cache
def _names(kind: str) -> Mapping[str, str]:
    """Returns the names of the fields by path."""
    offered = (each for fields in field_groups(kind).values() for each in fields.items())
    return {known_field(field, kind) or field: text for field, text in offered}


def name_of_field(path: str, kind: str) -> str:
    """Returns a field in words, or its path if no page offers it."""
    if path == IGNORED:
        return LEFT_OUT
    if found := _names(kind).get(path):
        return found
    prefix = "person.custom_fields." if kind == OUTREACHES else "custom_fields."
    return f"Custom field “{path.removeprefix(prefix)}”" if path.startswith(prefix) else path


def column_rows(job: ReadOnlyDocument) -> Iterator[ColumnRow]:
    """Yields the columns of a job."""
    kind, problem = job["kind"], job.get("problem") or {}
    doubtful = problem.get("names", ()) if problem.get("reason") == DOUBTFUL else ()
    mapped = dict(job["options"].get("mapped", ()))
    ignored = job["options"].get("ignored", ())
    for index, column in enumerate(job["columns"]):
        name = column["name"]
        chosen = LEFT_OUT if name in ignored else mapped.get(name, "")
        if chosen == custom_field(kind, name):
            chosen = CUSTOM
        because = "" if column["because"] == "known name" else column["because"]
        yield ColumnRow(index, name, name_of_field(column["field"], kind), because, chosen, name in doubtful)
