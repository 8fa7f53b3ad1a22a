"""The commands `tokens`, which create, list, rotate and revoke the tokens of the API.

A secret is printed once, alone on the last line. No command can print it again.
"""

import datetime as dt
from typing import Final

import click

from osdi.access.token_store import find_tokens, replace_token
from osdi.access.tokens import SCOPES, has_expired, new_token, successor
from osdi.commands.output import confirm, echo, minute, table
from osdi.commands.register import CommandContext, database_command
from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.ids import now
from osdi.resources import ADVOCACY_CAMPAIGN, PERSON, Resource
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS

NAME_LENGTH: Final = 100
MAXIMUM_OVERLAP_HOURS: Final = 24 * 366
COLUMNS: Final = ("id", "name", "scopes", "campaign", "created", "last used", "expires")


def _name(_: click.Context, __: click.Parameter, name: str) -> str:
    """Returns a name that fits in one line of a table. Raises click.BadParameter for another one."""
    if not name.strip() or not name.isprintable() or len(name) > NAME_LENGTH:
        raise click.BadParameter(f"Use 1 to {NAME_LENGTH} printable characters.")
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
    _check_exists(context.store, PERSON, person_id, "--person")
    _check_exists(context.store, ADVOCACY_CAMPAIGN, campaign_id, "--campaign")
    secret, token = new_token(name, scopes or SCOPES, person_id, campaign_id)
    context.store.write(Insert(TOKENS, token))
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
    type=click.IntRange(0, MAXIMUM_OVERLAP_HOURS),
    default=0,
    help="Hours for which the old secret stays valid. Default: it ends at once.",
)
@database_command()
def rotate(context: CommandContext, name_or_id: str, hours: int) -> None:
    """Give the token NAME_OR_ID a new secret. Its name, scopes, person and campaign stay."""
    timestamp = now()
    former = _find_token(context.store, name_or_id, timestamp)
    if has_expired(former, timestamp):
        raise _wrong_token("The token has expired. Create another one with `tokens create`.")
    secret, token = successor(former)
    ends = timestamp + dt.timedelta(hours=hours) if hours else None
    try:
        replace_token(context.store, former["_id"], token, ends)
    except WriteConflict as lost:
        raise _wrong_token("Somebody else has just changed the token. See `tokens list`.") from lost
    if ends:
        ends = min(ends, former.get("expires_date", ends))
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
    token = _find_token(context.store, name_or_id, now())
    if not yes:
        confirm(f"Revoke token '{token['name']}' ({token['_id']})?")
    context.store.delete_many(TOKENS, {"_id": token["_id"]})
    echo(f"Revoked token '{token['name']}' ({token['_id']}). {_delay(context.settings)}")


def _check_exists(store: Store, resource: Resource, document_id: str | None, option: str) -> None:
    if document_id is not None and store.get(resource.collection, document_id) is None:
        raise click.BadParameter(f"No {resource.name.replace('_', ' ')} has the id '{document_id}'.", param_hint=option)


def _find_token(store: Store, name_or_id: str, timestamp: dt.datetime) -> Document:
    """Returns the token with this id, else the only valid token with this name, else the only expired one.

    Raises click.BadParameter if there is none, or more than one.
    """
    found = find_tokens(store, {"$or": [{"_id": name_or_id}, {"name": name_or_id}]})
    by_id = [token for token in found if token["_id"] == name_or_id]
    valid = [token for token in found if not has_expired(token, timestamp)]
    candidates = by_id or valid or found
    if not candidates:
        raise _wrong_token(f"No token has the name or id '{name_or_id}'. `tokens list` shows all tokens.")
    if len(candidates) > 1:
        ids = ", ".join(token["_id"] for token in candidates)
        raise _wrong_token(f"{len(candidates)} tokens have the name '{name_or_id}'. Give the id of one: {ids}")
    return candidates[0]


def _wrong_token(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="NAME_OR_ID")


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
    named = {token["advocacy_campaign_id"] for token in tokens if "advocacy_campaign_id" in token}
    campaigns = {campaign["_id"] for campaign in store.by_ids(ADVOCACY_CAMPAIGN.collection, sorted(named))}
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
