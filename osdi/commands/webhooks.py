"""`webhooks list`, `create`, `enable`, `disable`, `delete`, `test`: which other systems are told what happens here."""

from collections.abc import Callable

import click

from osdi.commands.tables import minute, table
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.fields.webhook import EVENTS
from osdi.hal import Hal
from osdi.http_client.allowed_addresses import check_url
from osdi.http_client.post import HttpPost
from osdi.settings import Settings
from osdi.store import Store
from osdi.webhooks import delivery, registry
from osdi.webhooks.event_store import all_webhooks, count_events

# Addresses come last, since they may be long.
COLUMNS = ("id", "state", "events", "waiting", "last delivered", "failures", "last failure", "next attempt", "url")


def webhook_commands(store: Store, settings: Settings) -> click.Group:
    """The commands' group, to be added to the application's flask command."""
    group = click.Group("webhooks", help="Which other systems are told what happens here.")

    @group.command("list")
    def list_webhooks() -> None:
        """Print every webhook, but not its secret. Times are UTC."""
        click.echo(table(COLUMNS, (_row(store, each) for each in all_webhooks(store))))

    @group.command("create")
    @click.argument("url")
    @click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), help="Repeatable; default: all.")
    def create(url: str, events: tuple[str, ...]) -> None:
        """Tell URL what happens from now on. The secret by which it knows us is alone on the last line."""
        try:
            check_url(url, settings.webhook_networks)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="URL") from error
        made = registry.create(store, {"url": url, "events": list(dict.fromkeys(events or EVENTS))})
        click.echo(f"Webhook {made['_id']} is made. {_followed(settings)}")
        click.echo("Its receiver checks signatures with this secret:")
        click.echo(made["secret"])

    @group.command("enable")
    @click.argument("webhook_id")
    def enable(webhook_id: str) -> None:
        """Tell the webhook again, beginning with what waits for it."""
        _done(lambda: registry.change(store, webhook_id, {"enabled": True}))
        click.echo(f"Webhook {webhook_id} is enabled. {_followed(settings)}")

    @group.command("disable")
    @click.argument("webhook_id")
    def disable(webhook_id: str) -> None:
        """Tell the webhook nothing until it is enabled; what happens meanwhile it is never told."""
        _done(lambda: registry.change(store, webhook_id, {"enabled": False}))
        click.echo(f"Webhook {webhook_id} is disabled. {_followed(settings)}")

    @group.command("delete")
    @click.argument("webhook_id")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def delete(webhook_id: str, yes: bool) -> None:
        """Delete the webhook, and what waits for it."""
        webhook = _done(lambda: registry.get_or_404(store, webhook_id))
        if not yes:
            waiting = count_events(store, webhook_id)
            click.confirm(f"Delete the webhook {webhook['url']}, and what waits for it ({waiting})?", abort=True)
        _done(lambda: registry.delete(store, webhook_id))
        click.echo(f"Webhook {webhook_id} is deleted. {_followed(settings)}")

    @group.command("test")
    @click.argument("webhook_id")
    def test(webhook_id: str) -> None:
        """POST an outreach that nobody made to the webhook, and say what came of it."""
        if not settings.public_url:
            raise click.UsageError("PUBLIC_URL is needed: what webhooks are told links to us.")
        webhook = _done(lambda: registry.get_or_404(store, webhook_id))
        hal = Hal(settings.public_url, settings.namespace)
        told = delivery.Webhooks(store, hal, settings, HttpPost(settings.webhook_networks)).test(webhook)
        if not told.taken:
            raise click.ClickException(f"Not taken: {told.failure}")
        click.echo(f"Taken: {told.status}")

    return group


def _done(action: Callable[[], Document | None]) -> Document:
    """What the action returns. Raises click.BadParameter where there is no such webhook."""
    try:
        return action() or {}
    except OsdiError as error:
        if error.status != 404:
            raise  # cli tells it
        message = f"{error} `webhooks list` shows those that there are."
        raise click.BadParameter(message, param_hint="WEBHOOK_ID") from error


def _followed(settings: Settings) -> str:
    """How long a change takes to reach the processes that serve, which remember webhooks."""
    return f"Other processes follow within {settings.cache_seconds:g} seconds (CACHE_SECONDS)."


def _row(store: Store, webhook: Document) -> tuple[str, ...]:
    events, delivered, failures = webhook["events"], webhook.get("last_delivered_date"), webhook.get("failures", 0)
    return (
        webhook["_id"],
        "enabled" if webhook["enabled"] else f"disabled: {webhook.get('disabled_reason', registry.BY_HAND)}",
        "all" if set(events) == set(EVENTS) else ",".join(events),
        str(count_events(store, webhook["_id"])),
        minute(delivered) if delivered else "never",
        str(failures),
        webhook.get("last_failure", ""),
        minute(webhook["not_before"]) if failures and webhook["enabled"] else "",
        webhook["url"],
    )
