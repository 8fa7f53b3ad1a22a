"""`webhooks list`, `create`, `enable`, `disable`, `delete`, `test`: which other systems are told what happens here."""

from collections.abc import Callable

import click

from osdi import webhooks
from osdi.errors import OsdiError
from osdi.events import EVENTS
from osdi.hal import Hal
from osdi.http_post import HttpPost, check_url
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.driver import Document
from osdi.store.webhook_events import all_webhooks, count_events
from osdi.tables import minute, table

COLUMNS = ("id", "url", "events", "state", "waiting", "failures", "last failure", "last delivered")


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
        made = _done(lambda: webhooks.create(store, {"url": url, "events": list(events or EVENTS)}))
        click.echo(f"Webhook {made['_id']}; its receiver checks signatures with this secret:")
        click.echo(made["secret"])

    @group.command("enable")
    @click.argument("webhook_id")
    def enable(webhook_id: str) -> None:
        """Tell the webhook again, beginning with what waits for it."""
        _done(lambda: webhooks.change(store, webhook_id, {"enabled": True}))
        click.echo(f"Webhook {webhook_id} is enabled.")

    @group.command("disable")
    @click.argument("webhook_id")
    def disable(webhook_id: str) -> None:
        """Tell the webhook nothing until it is enabled; what happens meanwhile it is never told."""
        _done(lambda: webhooks.change(store, webhook_id, {"enabled": False}))
        click.echo(f"Webhook {webhook_id} is disabled.")

    @group.command("delete")
    @click.argument("webhook_id")
    def delete(webhook_id: str) -> None:
        """Delete the webhook, and what waits for it."""
        _done(lambda: webhooks.delete(store, webhook_id))
        click.echo(f"Webhook {webhook_id} is deleted.")

    @group.command("test")
    @click.argument("webhook_id")
    def test(webhook_id: str) -> None:
        """POST an outreach that nobody made to the webhook, and say what came of it."""
        webhook = _done(lambda: webhooks.existing(store, webhook_id))
        hal = Hal(settings.public_url, settings.namespace)
        told = webhooks.Webhooks(store, hal, settings, HttpPost(settings.webhook_networks)).test(webhook)
        if not told.taken:
            raise click.ClickException(f"Not taken: {told.failure}")
        click.echo(f"Taken: {told.status}")

    return group


def _done(action: Callable[[], Document | None]) -> Document:
    """What the action returns. Raises click.ClickException that says what an OsdiError says."""
    try:
        return action() or {}
    except OsdiError as error:
        raise click.ClickException(str(error)) from error


def _row(store: Store, webhook: Document) -> tuple[str, ...]:
    delivered = webhook.get("last_delivered_date")
    return (
        webhook["_id"],
        webhook["url"],
        ",".join(webhook["events"]),
        "enabled" if webhook["enabled"] else f"disabled: {webhook.get('disabled_reason', webhooks.BY_HAND)}",
        str(count_events(store, webhook["_id"])),
        str(webhook.get("failures", 0)),
        webhook.get("last_failure", ""),
        minute(delivered) if delivered else "never",
    )
