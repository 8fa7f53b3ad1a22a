"""The commands `tokens`, which create, list, rotate and revoke the tokens of the API.

A secret is printed once, alone on the last line. No command can print it again.
"""

import datetime as dt
from collections.abc import Callable
from typing import Final, TypeVar

import click

from osdi.access.token_changes import (
    MAX_OVERLAP_HOURS,
    campaigns_of,
    check_bound,
    check_name,
    create_token,
    find_token,
    revoke_token,
    rotate_token,
)
from osdi.access.token_store import find_tokens
from osdi.access.tokens import SCOPES, has_expired
from osdi.commands.output import confirm, echo, minute, table
from osdi.commands.register import CommandContext, database_command
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.settings import Settings
from osdi.store import Store

# The option or argument for each property that an error may name.
OPTIONS: Final = {"person_id": "--person", "advocacy_campaign_id": "--campaign"}
Returned = TypeVar("Returned")
COLUMNS: Final = ("id", "name", "scopes", "campaign", "created", "last used", "expires")


def _name(_: click.Context, __: click.Parameter, name: str) -> str:
    """Returns a name that fits in one line of a table. Raises click.BadParameter for another one."""
    try:
        check_name(name)
    except OsdiError as error:
        raise click.BadParameter(str(error)) from error
    return name


@click.group()
def tokens() -> None:
    """Manage the tokens of the API."""


@tokens.command("create")
@click.argument("name", callback=_name)
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Repeatable. Default: all scopes.")
@click.option("--person", "person_id", help="Id of the person who gets the token: the creator of what it creates.")
@click.option("--campaign", "campaign_id", help="Id of the only campaign that the token is for. Default: all.")
@database_command()
def create(
    context: CommandContext, name: str, scopes: tuple[str, ...], person_id: str | None, campaign_id: str | None
) -> None:
    """Create a token with the name NAME.

    It is printed once, alone on the last line. The database keeps only its hash.
    """
    check_options(context.store, person_id, campaign_id)
    secret, token = create_token(context.store, name, scopes or SCOPES, person_id, campaign_id)
    _show(secret, token)


@tokens.command("list")
@database_command()
def list_tokens(context: CommandContext) -> None:
    """List all tokens without their secrets. Times are UTC."""
    echo(_table(context.store, now()))


@tokens.command("rotate")
@click.argument("name_or_id")
@click.option(
    "--overlap",
    "hours",
    type=click.IntRange(0, MAX_OVERLAP_HOURS),
    default=0,
    help="Hours for which the old secret stays valid. Default: it ends at once.",
)
@database_command()
def rotate(context: CommandContext, name_or_id: str, hours: int) -> None:
    """Give the token NAME_OR_ID a new secret. Its name, scopes, person and campaign stay."""
    timestamp = now()
    former = _named(lambda: find_token(context.store, name_or_id, timestamp))
    secret, token, ends = _named(lambda: rotate_token(context.store, former, hours, timestamp))
    if ends:
        echo(f"The old secret, now token {former['_id']}, is valid until {minute(ends)}.")
    else:
        echo(f"The old secret has ended. {_delay(context.settings)}")
    _show(secret, token)


@tokens.command("revoke")
@click.argument("name_or_id")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_command()
def revoke(context: CommandContext, name_or_id: str, yes: bool) -> None:
    """End the token NAME_OR_ID."""
    token = _named(lambda: find_token(context.store, name_or_id, now()))
    if not yes:
        confirm(f"Revoke token '{token['name']}' ({token['_id']})?")
    revoke_token(context.store, token["_id"])
    echo(f"Revoked token '{token['name']}' ({token['_id']}). {_delay(context.settings)}")


def check_options(store: Store, person_id: str | None, campaign_id: str | None) -> None:
    """Raises click.BadParameter if --person or --campaign names nothing."""
    try:
        check_bound(store, person_id, campaign_id)
    except OsdiError as error:
        if error.status >= 500:
            raise
        hint = OPTIONS[error.descriptions[0].properties[0]]
        raise click.BadParameter(str(error), param_hint=hint) from error


def _named(action: Callable[[], Returned]) -> Returned:
    """Returns the result of the action. Raises click.BadParameter if no token, or none alone, can be meant."""
    try:
        return action()
    except OsdiError as error:
        if error.status not in (404, 409):
            raise
        message = f"{error} `tokens list` shows all tokens."
        raise click.BadParameter(message, param_hint="NAME_OR_ID") from error


def _show(secret: str, token: Document) -> None:
    campaign = f" for campaign {token['advocacy_campaign_id']}" if "advocacy_campaign_id" in token else ""
    echo(f"Token '{token['name']}' with scope {', '.join(token['scopes'])}{campaign}. It is shown only this time:")
    echo(secret)


def _delay(settings: Settings) -> str:
    """Returns a sentence about the time until web processes, which cache tokens, notice a change."""
    return f"The change takes effect within {settings.cache_seconds:g} seconds (CACHE_SECONDS)."


def _table(store: Store, timestamp: dt.datetime) -> str:
    """Returns a table with a line for each token."""
    tokens = find_tokens(store, {})
    campaigns = set(campaigns_of(store, tokens))
    return table(COLUMNS, (_row(token, campaigns, timestamp) for token in tokens))


def _row(token: Document, campaigns: set[str], timestamp: dt.datetime) -> tuple[str, ...]:
    campaign = token.get("advocacy_campaign_id", "any")
    return (
        token["_id"],
        token["name"],
        ",".join(token["scopes"]),
        campaign if campaign == "any" or campaign in campaigns else f"{campaign} (deleted)",
        minute(token["created_date"]),
        minute(token["last_used_date"]) if "last_used_date" in token else "never",
        (minute(token["expires_date"]) if "expires_date" in token else "never")
        + (" (expired)" if has_expired(token, timestamp) else ""),
    )
