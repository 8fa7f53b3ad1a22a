"""Which column of a file holds which field: guessed from the columns' names, and changed by who imports.

A field is named by its path in a body of OSDI, such as `email_addresses[0].address`; what stands in the brackets tells
entries of an array apart and is nothing else. Fields of the person who made an outreach begin with `person.`.

Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from osdi.resources import OUTREACH, PERSON

PEOPLE, OUTREACHES = PERSON.collection, OUTREACH.collection
# Besides fields: tags and lists to add, a name to be divided, identifiers of a system, and a column that is left out.
TAGS, LISTS, NAME, CAMPAIGN, IGNORED = "add_tags", "add_lists", "name", "advocacy_campaign", ""
# What our own export has besides: the number of a target in several rows of one outreach, entries besides the main one.
TARGET_NUMBER: Final = "target_number"
OTHERS: Final = (
    *("other_email_addresses", "other_email_statuses"),
    *("other_phone_numbers", "other_phone_number_types", "other_sms_capable", "other_do_not_call"),
)
AS_JSON: Final = (
    *("gender_pronouns", "parties", "profiles", "division_info", "employer_address"),
    *("other_postal_addresses", "other_custom_fields"),
)
OF_SERVER: Final = ("createddate", "modifieddate")
EXPORTED: Final = frozenset(("id", "identifiers", "created_date", "modified_date", "origin_system"))
IDENTIFIER: Final = re.compile(r"(person\.)?identifiers(\[[^\s\]:\[]{1,100}\])?")
PATH: Final = re.compile(r"(?P<top>\w+)(?:\[(?P<slot>\w+)\])?(?:\.(?P<leaf>.+))?")
# Columns that say why a line was refused, when the file of refused lines comes back.
REFUSED_LINE, REFUSED_REASON = "refused_line", "refused_reason"
CUSTOM_NAME_LENGTH: Final = 200
CUSTOM_BECAUSE: Final = "not known: a custom field"

_ADDRESS = ("venue", "address_lines", "locality", "region", "postal_code", "country", "language", "status")
LEAVES: Final[Mapping[str, tuple[str, ...]]] = {
    "email_addresses": ("address", "address_type", "status", "primary"),
    "phone_numbers": (
        *("number", "extension", "description", "number_type", "operator", "country"),
        *("sms_capable", "do_not_call", "primary"),
    ),
    "postal_addresses": (*_ADDRESS, "address_type", "occupation", "primary", "last_verified_date"),
    "employer_address": _ADDRESS,
    "birthdate": ("year", "month", "day"),
    "gender_pronouns": ("subject", "object", "posessive"),
    "profiles": ("provider", "id", "url", "handle"),
    "referrer_data": ("source", "referrer", "website", "url"),
    "targets": (
        *("title", "organization", "given_name", "family_name", "ocdid", "email_address", "phone_number"),
        *("address_lines", "locality", "region", "postal_code", "country"),
    ),
}
ARRAYS: Final = ("email_addresses", "phone_numbers", "postal_addresses", "profiles", "targets")

# What columns are called elsewhere, in lower case without spaces and punctuation. `can2_` is Action Network's.
EMAIL, MOBILE = "email_addresses[0].address", "phone_numbers[mobile].number"
_PERSON: Final[Mapping[str, str]] = {
    "given_name": "first firstname forename vorname prenom prénom nombre",
    "family_name": "last lastname surname nachname familienname nom apellido apellidos",
    "additional_name": "middle middlename middleinitial",
    "honorific_prefix": "prefix title salutation anrede",
    "honorific_suffix": "suffix",
    NAME: "fullname",
    "gender": "sex geschlecht",
    "birthdate": "birthday dateofbirth dob geburtsdatum datenaissance",
    "birthdate.year": "birthdateyear birthyear yearofbirth",
    "birthdate.month": "birthdatemonth birthmonth",
    "birthdate.day": "birthdateday",
    "employer": "company companyname organization organisation",
    "work_title": "jobtitle",
    "preferred_language": "language lang can2language can2languagepreference can2preferredlanguage sprache",
    "languages_spoken": "languages",
    "source": "sourcecode can2source",
    EMAIL: "email emailaddress mail mailaddress primaryemail email1 courriel correo",
    "email_addresses[0].status": "emailstatus subscriptionstatus can2subscriptionstatus emailsubscriptionstatus",
    "email_addresses[1].address": "email2 secondaryemail otheremail",
    MOBILE: "mobile mobilephone mobilenumber mobilephonenumber cell cellphone cellphonenumber can2phone handy",
    "phone_numbers[mobile].sms_capable": "smsstatus can2smsstatus mobilestatus",
    "phone_numbers[0].number": "phone phonenumber telephone tel telefon phone1",
    "phone_numbers[0].number_type": "phonenumbertype phonetype",
    "phone_numbers[0].sms_capable": "smscapable",
    "phone_numbers[0].do_not_call": "donotcall",
    "phone_numbers[1].number": "phone2 otherphone",
    "phone_numbers[home].number": "homephone homephonenumber",
    "phone_numbers[work].number": "workphone workphonenumber businessphone",
    "postal_addresses[0].address_lines": "address streetaddress street address1 addressline1 can2useraddress",
    "postal_addresses[0].address_lines[2]": "address2 addressline2 apartment apt",
    "postal_addresses[0].locality": "city town can2usercity ort stadt ville ciudad",
    "postal_addresses[0].region": "state province can2stateabbreviated can2userstate bundesland",
    "postal_addresses[0].postal_code": "zip zipcode postcode postal plz can2zipcode codepostal",
    "postal_addresses[0].country": "countrycode can2country land pays",
    TAGS: "tags tag persontags tagnames taglist can2usertags",
    LISTS: "lists list",
    "identifiers[action_network]": "uuid actionnetworkid actionnetworkuuid can2uuid",
}
_OUTREACH: Final[Mapping[str, str]] = {
    "action_date": "date datetime timestamp createdat createddate created sentat",
    "type": "outreachtype actiontype kind",
    "duration": "callduration seconds",
    "subject": "emailsubject betreff",
    "message": "letter body text emailbody",
    "notes": "note comment comments",
    "referrer_data.source": "source sourcecode",
    "referrer_data.referrer": "referrer referrercode",
    "referrer_data.website": "website referrerwebsite",
    "referrer_data.url": "url pageurl referrerurl",
    "targets[0].given_name": "targetfirstname",
    "targets[0].family_name": "targetlastname",
    "targets[0].organization": "targetorganisation",
    "identifiers": "outreachidentifier outreachidentifiers identifier",
    CAMPAIGN: "advocacycampaignid campaignid",
}
# Columns of ids, and whose identifiers they are.
ID_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    PEOPLE: {"id": "", "uuid": "", "personid": ""},
    OUTREACHES: {"id": "", "outreachid": "", "uuid": "person.", "personid": "person."},
}
NO_CUSTOM_FIELD: Final = re.compile(r"^\$+|[.\x00]")


@dataclass(frozen=True)
class Column:
    """A column of a file: its place, its name, the field that it holds (IGNORED: none), and how that came about."""

    index: int
    name: str
    field: str
    because: str = "known name"


def squashed(name: str) -> str:
    """A column's name as it is compared: in lower case, without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name.strip().casefold())


def known_field(name: str, kind: str) -> str | None:
    """The field that a name means in a file of this kind, be it the name of a column or a path; None: no field."""
    path = name.strip()
    if path.startswith("custom_fields/"):
        path = f"{_of_person(kind)}custom_fields.{path.partition('/')[2]}"
    found = _VOCABULARY[kind].get(squashed(path))
    return found if found is not None else path if _is_path(path, kind) else None


def guess_columns(
    names: Sequence[str],
    kind: str,
    *,
    mapped: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
    custom: bool = True,
    system: str | None = None,
) -> tuple[Column, ...]:
    """The field of each column.

    `mapped` has fields by column name, `ignored` names of columns; both come from whoever imports. What is not known
    becomes a custom field of the person, or with `custom=False` is left out. Columns of ids hold identifiers of the
    `system`, where one is named. Raises ValueError: a sentence.
    """
    mapped = mapped or {}
    if system and not IDENTIFIER.fullmatch(f"identifiers[{system}]"):
        raise ValueError(f"'{system}' is no name of a system: spaces, colons and brackets cannot be in one.")
    absent = [name for name in (*mapped, *ignored) if name not in names]
    if absent:
        raise ValueError(f"There is no column '{absent[0]}'. There are: {', '.join(names)}.")
    columns = []
    taken: dict[str, str] = {}
    for index, name in enumerate(names):
        column = _guessed(index, name, kind, mapped, ignored, custom, system)
        if column.field not in (IGNORED, TAGS, LISTS) and not IDENTIFIER.fullmatch(column.field):
            if column.field in taken and column.because == "you said so":
                raise ValueError(f"'{taken[column.field]}' and '{name}' are both {column.field}.")
            if column.field in taken:
                column = _again(column, taken[column.field], set(taken))
            taken.setdefault(column.field, name)
        columns.append(column)
    return tuple(columns)


def _guessed(
    index: int,
    name: str,
    kind: str,
    mapped: Mapping[str, str],
    ignored: Sequence[str],
    custom: bool,
    system: str | None,
) -> Column:
    if name in ignored:
        return Column(index, name, IGNORED, "you said so")
    if name in mapped:
        field = known_field(mapped[name], kind)
        if field is None:
            raise ValueError(f"There is no field '{mapped[name]}'; docs/importing.md lists them.")
        return Column(index, name, field, "you said so")
    if not name.strip():
        return Column(index, name, IGNORED, "without a name")
    if squashed(name) in map(squashed, (REFUSED_LINE, REFUSED_REASON)):
        return Column(index, name, IGNORED, "why it was refused")
    if squashed(name) in OF_SERVER:
        return Column(index, name, IGNORED, "the server's own")
    if system and (prefix := ID_COLUMNS[kind].get(squashed(name))) is not None:
        return Column(index, name, f"{prefix}identifiers[{system}]", f"of {system}")
    field = known_field(name, kind)
    if field is not None:
        return Column(index, name, field)
    if not custom:
        return Column(index, name, IGNORED, "not known")
    own = NO_CUSTOM_FIELD.sub("", name.strip())[:CUSTOM_NAME_LENGTH] or f"column {index + 1}"
    return Column(index, name, f"{_of_person(kind)}custom_fields.{own}", CUSTOM_BECAUSE)


def _again(column: Column, before: str, taken: set[str]) -> Column:
    """A second column for a field: another entry where the field is one of an array, else it is left out."""
    match = PATH.fullmatch(column.field.removeprefix("person."))
    prefix = "person." if column.field.startswith("person.") else ""
    if match and match["top"] in ARRAYS and match["leaf"] in ("number", "address"):
        for number in range(2, 10):
            field = f"{prefix}{match['top']}[{match['slot']}_{number}].{match['leaf']}"
            if field not in taken:
                return Column(column.index, column.name, field, f"besides '{before}'")
    return Column(column.index, column.name, IGNORED, f"'{before}' says it already")


def _is_path(path: str, kind: str) -> bool:
    if IDENTIFIER.fullmatch(path):
        return kind == OUTREACHES or not path.startswith("person.")
    of_person = kind == PEOPLE or path.startswith("person.")
    match = PATH.fullmatch(path.removeprefix("person.") if kind == OUTREACHES else path)
    if match is None:
        return False
    top, slot, leaf = match.group("top", "slot", "leaf")
    if of_person and leaf is None and slot is None and top in (*AS_JSON, *OTHERS):
        return True
    if top not in (PERSON if of_person else OUTREACH).fields:
        return False
    if top == "custom_fields":
        return leaf is not None and not NO_CUSTOM_FIELD.search(leaf) and len(leaf) <= CUSTOM_NAME_LENGTH
    if top not in LEAVES:
        return slot is None and leaf is None
    if top == "birthdate" and leaf is None:
        return slot is None
    leaf = re.sub(r"\[\w+\]$", "", leaf) if leaf and leaf.startswith("address_lines") else leaf
    return leaf in LEAVES[top] and (slot is None or top in ARRAYS)


def _of_person(kind: str) -> str:
    return "person." if kind == OUTREACHES else ""


def _vocabulary(kind: str) -> dict[str, str]:
    """Fields by squashed name; of an outreach its own names come before its person's."""
    found: dict[str, str] = {}
    spoken = [(_PERSON, PERSON.fields, _of_person(kind))]
    if kind == OUTREACHES:
        spoken.append((_OUTREACH, OUTREACH.fields, ""))
    for names, fields, prefix in spoken:
        for field in fields:
            if field in ("birthdate", *AS_JSON) or field not in (*LEAVES, "custom_fields"):
                found[squashed(field)] = prefix + field
        for field, others in names.items():
            path = field if field in (TAGS, LISTS, CAMPAIGN) else prefix + field
            leaf = field.rpartition(".")[2]
            own = [leaf] if field.startswith("postal_addresses[0]") and leaf.isidentifier() else []
            found |= {squashed(each): path for each in (*own, *others.split())}
    found |= {squashed(each): _of_person(kind) + each for each in (NAME, *OTHERS, *AS_JSON)}
    found["identifiers"] = "identifiers"
    if kind == OUTREACHES:
        found |= {squashed(f"target_{leaf}"): f"targets[0].{leaf}" for leaf in LEAVES["targets"]}
        found[squashed(TARGET_NUMBER)] = TARGET_NUMBER
    return found


_VOCABULARY: Final = {kind: _vocabulary(kind) for kind in (PEOPLE, OUTREACHES)}
