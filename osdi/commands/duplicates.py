"""The commands `duplicates`, which lists people who were probably recorded twice, and `merge`, which merges two."""

from collections.abc import Mapping
from typing import Any, Final

import click

from osdi.commands.output import confirm, echo, minute, one_line, table
from osdi.commands.register import CommandContext, database_command
from osdi.documents import Document
from osdi.people.duplicates.groups import Group, duplicates
from osdi.people.lookup import get_person
from osdi.people.merge import merge_stored_people
from osdi.people.outreach_links_store import outreaches_of
from osdi.resources import OUTREACH
from osdi.store import Store

COLUMNS: Final = ("GROUP", "BY", "ID", "NAME", "E-MAIL", "PHONE", "POSTAL CODE", "CREATED")
NAMES: Final = ("honorific_prefix", "given_name", "additional_name", "family_name", "honorific_suffix")
MAX_CELL_LENGTH: Final = 40


@click.command("duplicates")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most groups to list.")
@click.option("--after", default="", help="Continue behind this cursor, which the last line of a list names.")
@database_command()
def list_duplicates(context: CommandContext, limit: int, after: str) -> None:
    """List people who were probably recorded twice.

    The people of a group share an e-mail address, a phone number, or a name and postal code.
    """
    groups: list[Group] = []
    cursor: str | None = after
    while cursor is not None and len(groups) < limit:
        found = duplicates(context.store, limit=limit - len(groups), after=cursor)
        groups += found.groups
        cursor = found.after
    rows = [_row(number, group, person) for number, group in enumerate(groups, 1) for person in group.people]
    echo(table(COLUMNS, rows) if rows else "No duplicates found.")
    if cursor is not None:
        echo(f"There may be more: --after {cursor}")


@click.command()
@click.argument("survivor_id", metavar="SURVIVOR")
@click.argument("other_id", metavar="OTHER")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_command()
def merge(context: CommandContext, survivor_id: str, other_id: str, yes: bool) -> None:
    """Merge two people into one.

    The person with the id OTHER is merged into the person with the id SURVIVOR. The command shows both people and asks
    for confirmation.
    """
    store = context.store
    survivor, other = _get_person(store, survivor_id, "SURVIVOR"), _get_person(store, other_id, "OTHER")
    are_two = (
        other["_id"] == other_id != survivor["_id"]
    )  # else they are merged already, or merge_stored_people rejects them
    if are_two:
        echo(_side_by_side(store, survivor, other))
        if not yes:
            confirm(f"Merge {other_id} into {survivor['_id']}?")
    merged = merge_stored_people(store, survivor_id, other_id, context.settings.match_key_rules)
    if are_two:
        echo(f"Merged {other_id} into {merged['_id']}. A copy stays in merged_people for 30 days.")
    else:
        echo(f"Already merged into {merged['_id']}. All steps of the merge are complete.")


def _get_person(store: Store, person_id: str, parameter: str) -> Document:
    """Returns the person, or the person that this one was merged into. Raises click.BadParameter if there is none."""
    found = get_person(store, person_id)
    if found is None:
        raise click.BadParameter(f"No person has the id '{person_id}'.", param_hint=parameter)
    return found


def _row(number: int, group: Group, person: Document) -> tuple[str, ...]:
    return (
        str(number),
        ",".join(group.by),
        person["_id"],
        _name(person),
        _several(person, "email_addresses", "address"),
        _several(person, "phone_numbers", "number"),
        _several(person, "postal_addresses", "postal_code"),
        minute(person["created_date"]),
    )


def _side_by_side(store: Store, survivor: Document, other: Document) -> str:
    """Returns a table with a line for each fact about the two people."""
    facts = _facts(store, survivor), _facts(store, other)
    rows = [
        (name, one_line(facts[0][name], MAX_CELL_LENGTH), one_line(facts[1][name], MAX_CELL_LENGTH))
        for name in facts[0]
    ]
    return table(("", "SURVIVOR", "OTHER"), rows)


def _facts(store: Store, person: Document) -> dict[str, str]:
    statuses = [
        f"{entry['address']} {entry['status']}"
        for entry in person.get("email_addresses", ())
        if "address" in entry and "status" in entry
    ]
    outreaches = store.page(OUTREACH.collection, outreaches_of(person), page=1, per_page=1).total_records
    return {
        "id": person["_id"],
        "name": _name(person),
        "e-mail": _several(person, "email_addresses", "address"),
        "status": ", ".join(statuses),
        "phone": _several(person, "phone_numbers", "number"),
        "postal code": _several(person, "postal_addresses", "postal_code"),
        "identifiers": ", ".join(person.get("identifiers", ())),
        "source": str(person.get("source", "")),
        "created": minute(person["created_date"]),
        "outreaches": str(outreaches),
        **{array: str(len(person.get(array, ()))) for array in ("taggings", "items", "answers")},
    }


def _name(person: Mapping[str, Any]) -> str:
    return one_line(" ".join(str(person[name]) for name in NAMES if name in person), MAX_CELL_LENGTH)


def _several(person: Mapping[str, Any], array: str, value: str) -> str:
    return one_line(", ".join(str(entry[value]) for entry in person.get(array, ()) if value in entry), MAX_CELL_LENGTH)
