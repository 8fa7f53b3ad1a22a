"""The commands `staff`, which add, list, disable, enable and remove the members who may sign in to the staff pages.

A sign-in link is printed once, alone on the last line, and works for 15 minutes. No command can print it again.
"""

from typing import Final

import click

from osdi.access.tokens import SCOPES
from osdi.commands.output import confirm, echo, minute, table
from osdi.commands.register import CommandContext, database_command
from osdi.commands.tokens import check_options
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.settings.table import ServerSettings, read
from osdi.staff.events import record_event
from osdi.staff.links import VALID, link_url, new_link
from osdi.staff.members import add_member, all_members, find_member, remove_member, set_disabled
from osdi.store import Store

COLUMNS: Final = ("id", "e-mail", "name", "scopes", "campaign", "created", "state")


@click.group()
def staff() -> None:
    """Manage the members who may sign in to the staff pages."""


@staff.command("add")
@click.argument("email")
@click.option("--name", default="", help="Name of the member. Default: the e-mail address.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Repeatable. Default: all scopes.")
@click.option("--person", "person_id", help="Id of the person who the member is: the editor of what they change.")
@click.option("--campaign", "campaign_id", help="Id of the only campaign that the member may see. Default: all.")
@database_command()
def add(
    context: CommandContext,
    email: str,
    name: str,
    scopes: tuple[str, ...],
    person_id: str | None,
    campaign_id: str | None,
) -> None:
    """Add the member with the address EMAIL, and print a sign-in link."""
    store = context.store
    check_options(store, person_id, campaign_id)
    try:
        member = add_member(
            store,
            email,
            name=name,
            scopes=scopes or SCOPES,
            person_id=person_id,
            advocacy_campaign_id=campaign_id,
        )
    except OsdiError as error:
        if error.status >= 500:
            raise
        raise click.BadParameter(str(error)) from error
    _record(context, "add_staff", member)
    campaign = f" for campaign {campaign_id}" if campaign_id else ""
    echo(f"Added {member['email']} with scope {', '.join(member['scopes'])}{campaign}.")
    _show_link(context, member)


@staff.command("list")
@database_command()
def list_staff(context: CommandContext) -> None:
    """List all members. Times are UTC."""
    echo(table(COLUMNS, map(_row, all_members(context.store))))


@staff.command("link")
@click.argument("email_or_id")
@database_command()
def link(context: CommandContext, email_or_id: str) -> None:
    """Print a sign-in link for the member EMAIL_OR_ID."""
    member = _find(context.store, email_or_id)
    if member["disabled"]:
        raise _wrong_member(f"{member['email']} is disabled. `staff enable` enables the member again.")
    _record(context, "print_link", member)
    _show_link(context, member)


@staff.command("disable")
@click.argument("email_or_id")
@database_command()
def disable(context: CommandContext, email_or_id: str) -> None:
    """Disable the member EMAIL_OR_ID, whose sessions end at once."""
    member = set_disabled(context.store, _find(context.store, email_or_id)["_id"], disabled=True)
    _record(context, "disable_staff", member)
    echo(f"Disabled {member['email']}. All sessions have ended.")


@staff.command("enable")
@click.argument("email_or_id")
@database_command()
def enable(context: CommandContext, email_or_id: str) -> None:
    """Enable the member EMAIL_OR_ID again."""
    member = set_disabled(context.store, _find(context.store, email_or_id)["_id"], disabled=False)
    _record(context, "enable_staff", member)
    echo(f"Enabled {member['email']}.")


@staff.command("remove")
@click.argument("email_or_id")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_command()
def remove(context: CommandContext, email_or_id: str, yes: bool) -> None:
    """Delete the member EMAIL_OR_ID, with name and address.

    Events of the audit log keep the member's id.
    """
    member = _find(context.store, email_or_id)
    if not yes:
        confirm(f"Delete the staff member {member['email']} ({member['_id']})?")
    remove_member(context.store, member["_id"])
    _record(context, "remove_staff", member)
    echo(f"Deleted {member['email']} ({member['_id']}). All sessions have ended.")


def _find(store: Store, email_or_id: str) -> Document:
    """Returns the member. Raises click.BadParameter if there is none."""
    try:
        member = find_member(store, email_or_id)
    except OsdiError as error:
        if error.status >= 500:
            raise
        raise _wrong_member(str(error)) from error
    if member is None:
        raise _wrong_member(f"'{email_or_id}' is not a staff member. `staff list` shows all members.")
    return member


def _wrong_member(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="EMAIL_OR_ID")


def _record(context: CommandContext, action: str, member: Document) -> None:
    record_event(context.store, context.settings.staff_event_days, action, [f"staff/{member['_id']}"])


def _show_link(context: CommandContext, member: Document) -> None:
    address = context.settings.public_url or f"http://localhost:{read(ServerSettings).port}"
    minutes = int(VALID.total_seconds() // 60)
    echo(f"Sign-in link, valid for {minutes} minutes and only once:")
    echo(link_url(address, new_link(context.store, member, now())))


def _row(member: Document) -> tuple[str, ...]:
    return (
        member["_id"],
        member["email"],
        member["name"],
        ",".join(member["scopes"]),
        member.get("advocacy_campaign_id", "any"),
        minute(member["created_date"]),
        "disabled" if member["disabled"] else "enabled",
    )
