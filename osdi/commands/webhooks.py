"""The commands `webhooks`, which manage the webhooks that get the events of this server."""

from collections.abc import Callable
from typing import Final

import click

from osdi.commands.output import confirm, echo, minute, table
from osdi.commands.register import CommandContext, database_command
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.fields.webhook import EVENTS
from osdi.hal import Hal
from osdi.settings import Settings
from osdi.store import Store
from osdi.webhooks import registry
from osdi.webhooks.event_store import all_webhooks, count_events, count_rejected, rejected_events
from osdi.webhooks.subscriptions import create_webhook, send_test

# Addresses come last, since they may be long.
COLUMNS: Final = (
    "id",
    "state",
    "events",
    "waiting",
    "rejected",
    "last delivered",
    "failures",
    "last failure",
    "next attempt",
    "url",
)


REJECTED_COLUMNS: Final = ("event", "record", "reason", "rejected")


@click.group()
def webhooks() -> None:
    """Manage the webhooks that get events."""


@webhooks.command("list")
@database_command()
def list_webhooks(context: CommandContext) -> None:
    """List all webhooks without their secrets. Times are UTC."""
    echo(table(COLUMNS, (_row(context.store, each) for each in all_webhooks(context.store))))


@webhooks.command("rejected")
@click.argument("webhook_id")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Of each kind of record.")
@database_command()
def list_rejected(context: CommandContext, webhook_id: str, limit: int) -> None:
    """List the events that the webhook's receiver rejects for good, the newest first. `enable` sends them again."""
    _or_unknown(lambda: registry.get_or_404(context.store, webhook_id))
    found = rejected_events(context.store, webhook_id, limit)
    rows = (
        (each["event"], f"{resource.collection}/{document['_id']}", each["reason"], minute(each["date"]))
        for resource, document, each in found
    )
    echo(table(REJECTED_COLUMNS, rows))


@webhooks.command("create")
@click.argument("url")
@click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), help="Repeatable. Default: all events.")
@database_command()
def create(context: CommandContext, url: str, events: tuple[str, ...]) -> None:
    """Send events from now on to URL.

    The last line has the secret by which the receiver checks signatures.
    """
    try:
        fields = {"url": url, "events": list(dict.fromkeys(events or EVENTS))}
        made = create_webhook(context.store, context.settings, fields)
    except OsdiError as error:
        if error.status != 400:
            raise
        raise click.BadParameter(str(error), param_hint="URL") from error
    echo(f"Created webhook {made['_id']}. {_delay(context.settings)}")
    echo("The receiver checks signatures with this secret:")
    echo(made["secret"])


@webhooks.command("enable")
@click.argument("webhook_id")
@database_command()
def enable(context: CommandContext, webhook_id: str) -> None:
    """Send events to the webhook again, first those that wait or were rejected."""
    _or_unknown(lambda: registry.change(context.store, webhook_id, {"enabled": True}))
    echo(f"Enabled webhook {webhook_id}. {_delay(context.settings)}")


@webhooks.command("disable")
@click.argument("webhook_id")
@database_command()
def disable(context: CommandContext, webhook_id: str) -> None:
    """Send no events to the webhook until it is enabled. It never gets the events of that time."""
    _or_unknown(lambda: registry.change(context.store, webhook_id, {"enabled": False}))
    echo(f"Disabled webhook {webhook_id}. {_delay(context.settings)}")


@webhooks.command("delete")
@click.argument("webhook_id")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_command()
def delete(context: CommandContext, webhook_id: str, yes: bool) -> None:
    """Delete the webhook and the events that wait for it."""
    webhook = _or_unknown(lambda: registry.get_or_404(context.store, webhook_id))
    if not yes:
        waiting = count_events(context.store, webhook_id)
        confirm(f"Delete the webhook {webhook['url']} and the {waiting} events that wait for it?")
    _or_unknown(lambda: registry.delete(context.store, webhook_id))
    echo(f"Deleted webhook {webhook_id}. {_delay(context.settings)}")


@webhooks.command("test")
@click.argument("webhook_id")
@database_command()
def test(context: CommandContext, webhook_id: str) -> None:
    """Send an example event to the webhook, and print the response."""
    settings = context.settings
    if not settings.public_url:
        raise click.UsageError("Set PUBLIC_URL: events contain links to the server.")
    _or_unknown(lambda: registry.get_or_404(context.store, webhook_id))
    hal = Hal(settings.public_url, settings.namespace)
    result = send_test(context.store, hal, settings, webhook_id)
    if not result.delivered:
        raise click.ClickException(f"Not delivered: {result.failure}")
    echo(f"Delivered: {result.status}")


def _or_unknown(action: Callable[[], Document | None]) -> Document:
    """Returns the result of the action. Raises click.BadParameter if there is no such webhook."""
    try:
        return action() or {}
    except OsdiError as error:
        if error.status != 404:
            raise
        message = f"{error} `webhooks list` shows all webhooks."
        raise click.BadParameter(message, param_hint="WEBHOOK_ID") from error


def _delay(settings: Settings) -> str:
    """Returns a sentence about the time until web processes, which cache webhooks, notice a change."""
    return f"The change takes effect within {settings.cache_seconds:g} seconds (CACHE_SECONDS)."


def _row(store: Store, webhook: Document) -> tuple[str, ...]:
    events, delivered, failures = webhook["events"], webhook.get("last_delivered_date"), webhook.get("failures", 0)
    return (
        webhook["_id"],
        "enabled" if webhook["enabled"] else f"disabled: {webhook.get('disabled_reason', registry.BY_HAND)}",
        "all" if set(events) == set(EVENTS) else ",".join(events),
        str(count_events(store, webhook["_id"])),
        str(count_rejected(store, webhook["_id"])),
        minute(delivered) if delivered else "never",
        str(failures),
        webhook.get("last_failure", ""),
        minute(webhook["not_before"]) if failures and webhook["enabled"] else "",
        webhook["url"],
    )
