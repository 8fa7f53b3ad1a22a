"""`tokens create`, `list`, `rotate` and `revoke`: who may use the API, and for how long.

A secret is printed once, alone on the last line; nothing here can show it again.
"""

import datetime as dt

import click

from osdi.access.token_store import find_tokens, replace_token
from osdi.access.tokens import SCOPES, has_expired, new_token, successor
from osdi.commands.tables import minute, table
from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.ids import now
from osdi.resources import ADVOCACY_CAMPAIGN, PERSON, Resource
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS

NAME_LENGTH = 100
MAXIMUM_OVERLAP_HOURS = 24 * 366
COLUMNS = ("id", "name", "scopes", "campaign", "created", "last used", "expires")


def token_commands(store: Store, settings: Settings) -> click.Group:
    """The commands' group, to be added to the application's flask command."""
    tokens = click.Group("tokens", help="Who may use the API with a token.")

    @tokens.command("create")
    @click.argument("name", callback=_name)
    @click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Repeatable; default: all.")
    @click.option("--person", "person_id", help="Id of the person whose it is; what they create and change says so.")
    @click.option("--campaign", "campaign_id", help="Id of the one campaign that it is for; default: all.")
    def create(name: str, scopes: tuple[str, ...], person_id: str | None, campaign_id: str | None) -> None:
        """Make a token called NAME. It is printed once, alone on the last line, and only its hash is kept."""
        _check_there(store, PERSON, person_id, "--person")
        _check_there(store, ADVOCACY_CAMPAIGN, campaign_id, "--campaign")
        secret, token = new_token(name, scopes or SCOPES, person_id, campaign_id)
        store.write(Insert(TOKENS, token))
        _show(secret, token)

    @tokens.command("list")
    def list_tokens() -> None:
        """Print every token, but not what is secret of it. Times are UTC."""
        click.echo(_table(store, now()))

    @tokens.command("rotate")
    @click.argument("name_or_id")
    @click.option(
        "--overlap",
        "hours",
        type=click.IntRange(0, MAXIMUM_OVERLAP_HOURS),
        default=0,
        help="Hours for which the former secret stays valid; default: it ends at once.",
    )
    def rotate(name_or_id: str, hours: int) -> None:
        """Give the token NAME_OR_ID a new secret. Its name, scopes, person and campaign stay."""
        timestamp = now()
        former = _meant(store, name_or_id, timestamp)
        if has_expired(former, timestamp):
            raise _not_meant("That token has expired; `tokens create` makes another.")
        secret, token = successor(former)
        ends = timestamp + dt.timedelta(hours=hours) if hours else None
        try:
            replace_token(store, former["_id"], token, ends)
        except WriteConflict as lost:
            raise _not_meant("Somebody else has changed that token just now; look at `tokens list`.") from lost
        if ends:
            ends = min(ends, former.get("expires_date", ends))
            click.echo(f"The former secret, now token {former['_id']}, is valid until {minute(ends)}.")
        else:
            click.echo(f"The former secret has ended. {_followed(settings)}")
        _show(secret, token)

    @tokens.command("revoke")
    @click.argument("name_or_id")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def revoke(name_or_id: str, yes: bool) -> None:
        """End the token NAME_OR_ID."""
        token = _meant(store, name_or_id, now())
        if not yes:
            click.confirm(f"Revoke token '{token['name']}' ({token['_id']})?", abort=True)
        store.delete_many(TOKENS, {"_id": token["_id"]})
        click.echo(f"Token '{token['name']}' ({token['_id']}) is revoked. {_followed(settings)}")

    return tokens


def _name(_: click.Context, __: click.Parameter, name: str) -> str:
    """A name that stands in one line of a table. Raises click.BadParameter."""
    if not name.strip() or not name.isprintable() or len(name) > NAME_LENGTH:
        raise click.BadParameter(f"A name has 1 to {NAME_LENGTH} printable characters.")
    return name


def _check_there(store: Store, resource: Resource, document_id: str | None, option: str) -> None:
    if document_id is not None and store.get(resource.collection, document_id) is None:
        raise click.BadParameter(f"There is no such {resource.name.replace('_', ' ')}.", param_hint=option)


def _meant(store: Store, name_or_id: str, timestamp: dt.datetime) -> Document:
    """The token with this id, or else the only one with this name that has not expired; if all have, the only one.

    Raises click.BadParameter, which ends the command with status 2, where there is none or more than one.
    """
    found = find_tokens(store, {"$or": [{"_id": name_or_id}, {"name": name_or_id}]})
    by_id = [token for token in found if token["_id"] == name_or_id]
    valid = [token for token in found if not has_expired(token, timestamp)]
    meant = by_id or valid or found
    if not meant:
        raise _not_meant(f"There is no token '{name_or_id}'; `tokens list` shows those that there are.")
    if len(meant) > 1:
        ids = ", ".join(token["_id"] for token in meant)
        raise _not_meant(f"{len(meant)} tokens are called '{name_or_id}'; name one by its id: {ids}")
    return meant[0]


def _not_meant(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="NAME_OR_ID")


def _show(secret: str, token: Document) -> None:
    campaign = f" for campaign {token['advocacy_campaign_id']}" if "advocacy_campaign_id" in token else ""
    click.echo(f"Token '{token['name']}' with scope {', '.join(token['scopes'])}{campaign}; it is shown only now:")
    click.echo(secret)


def _followed(settings: Settings) -> str:
    """How long a change takes to reach the processes that serve, which remember tokens."""
    return f"Other processes follow within {settings.cache_seconds:g} seconds (CACHE_SECONDS)."


def _table(store: Store, timestamp: dt.datetime) -> str:
    """A line for each token under the columns' names."""
    tokens = find_tokens(store, {})
    tied_to = {token["advocacy_campaign_id"] for token in tokens if "advocacy_campaign_id" in token}
    campaigns = {campaign["_id"] for campaign in store.by_ids(ADVOCACY_CAMPAIGN.collection, sorted(tied_to))}
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
