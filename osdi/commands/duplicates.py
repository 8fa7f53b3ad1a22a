"""Commands about people who were recorded twice: `flask --app wsgi duplicates` lists them, `merge` makes two one."""

from collections.abc import Mapping
from typing import Any, Final

import click

from osdi.commands.tables import minute, one_line, table
from osdi.documents import Document
from osdi.people.duplicates import Group, duplicates
from osdi.people.lookup import get_person
from osdi.people.merge import merge_people
from osdi.people.outreach_links_store import outreaches_of
from osdi.resources import OUTREACH
from osdi.settings import Settings
from osdi.store import Store

COLUMNS: Final = ("GROUP", "BY", "ID", "NAME", "E-MAIL", "PHONE", "POSTAL CODE", "CREATED")
NAMES: Final = ("honorific_prefix", "given_name", "additional_name", "family_name", "honorific_suffix")
CELL: Final = 40


def duplicates_command(store: Store) -> click.Command:
    """The command `duplicates`."""

    @click.command("duplicates")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many groups.")
    @click.option("--after", default="", help="Go on behind this cursor, which a former list printed.")
    def list_duplicates(limit: int, after: str) -> None:
        """List people who are probably one: the same e-mail address, phone number, or name and postal code."""
        groups: list[Group] = []
        cursor: str | None = after
        while cursor is not None and len(groups) < limit:
            found = duplicates(store, limit=limit - len(groups), after=cursor)
            groups += found.groups
            cursor = found.after
        rows = [_row(number, group, person) for number, group in enumerate(groups, 1) for person in group.people]
        click.echo(table(COLUMNS, rows) if rows else "Nobody is there twice, as far as can be seen.")
        if cursor is not None:
            click.echo(f"There may be more: --after {cursor}")

    return list_duplicates


def merge_command(store: Store, settings: Settings) -> click.Command:
    """The command `merge`."""

    @click.command("merge")
    @click.argument("survivor_id", metavar="SURVIVOR")
    @click.argument("other_id", metavar="OTHER")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def merge(survivor_id: str, other_id: str, yes: bool) -> None:
        """Merge the person OTHER into the person SURVIVOR, both given by their ids, after showing them side by side."""
        survivor, other = _existing(store, survivor_id, "SURVIVOR"), _existing(store, other_id, "OTHER")
        are_two = other["_id"] == other_id != survivor["_id"]  # else they are one already, or it is refused
        if are_two:
            click.echo(_side_by_side(store, survivor, other))
            if not yes:
                click.confirm(f"Merge {other_id} into {survivor['_id']}?", abort=True)
        merged = merge_people(store, survivor_id, other_id, settings.match_key_rules)
        if are_two:
            click.echo(f"{other_id} is merged into {merged['_id']}, and is held for 30 days in merged_people.")
        else:
            click.echo(f"They are one already: {merged['_id']}. What was left undone is finished.")

    return merge


def _existing(store: Store, person_id: str, parameter: str) -> Document:
    """The person, or whom they were merged into. Raises click.BadParameter, which ends the command with status 2."""
    found = get_person(store, person_id)
    if found is None:
        raise click.BadParameter(f"There is no person '{person_id}'.", param_hint=parameter)
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
    """A line for each thing that tells people apart."""
    facts = _facts(store, survivor), _facts(store, other)
    rows = [(what, one_line(facts[0][what], CELL), one_line(facts[1][what], CELL)) for what in facts[0]]
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
    return one_line(" ".join(str(person[name]) for name in NAMES if name in person), CELL)


def _several(person: Mapping[str, Any], array: str, value: str) -> str:
    return one_line(", ".join(str(entry[value]) for entry in person.get(array, ()) if value in entry), CELL)
