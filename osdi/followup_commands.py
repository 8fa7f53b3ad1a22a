"""`followups`: how the outbox stands, what has failed and why, and trying it again; `worker`: doing them."""

from collections.abc import Mapping
from typing import Any

import click

from osdi.followups import Followups
from osdi.hal import Hal
from osdi.http_post import HttpPost
from osdi.ids import now
from osdi.reference import Reference
from osdi.settings import Settings
from osdi.store import Store, outbox
from osdi.tables import minute, table
from osdi.transports import transports
from osdi.triggers import FAILED, SENT, SKIPPED, STATES, TRIGGERS
from osdi.webhooks import Webhooks
from osdi.worker import Work, run

COLUMNS = ("state", "kind", "reason", "count", "oldest", "leases lost")
ENTRY_COLUMNS = ("id", "kind", "state", "reason", "queued", "attempts", "outreach")
SHOWN = 100
RETRIED = 10_000


def followup_commands(store: Store) -> click.Group:
    """The group `followups`, to be added to the application's flask command."""

    @click.group("followups", invoke_without_command=True)
    @click.pass_context
    def followups(context: click.Context) -> None:
        """How the follow-ups stand: queued, leased, sent, failed, skipped. Times are UTC."""
        if context.invoked_subcommand is None:
            rows = [_count_row(each) for each in outbox.counts(store)]
            click.echo(table(COLUMNS, rows))

    @followups.command("list")
    @click.option("--state", type=click.Choice(STATES), default=FAILED, show_default=True)
    @click.option("--kind", type=click.Choice(TRIGGERS))
    @click.option("--limit", type=click.IntRange(1, 10_000), default=SHOWN, show_default=True)
    def list_followups(state: str, kind: str | None, limit: int) -> None:
        """Print follow-ups, the oldest first."""
        query = {"state": state} | ({"kind": kind} if kind else {})
        rows = [
            _entry_row(entry, outreach["_id"])
            for outreach in outbox.find(store, query, limit)
            for entry in outreach["followups"]
            if query.items() <= entry.items()
        ]
        click.echo(table(ENTRY_COLUMNS, rows))

    @followups.command("retry")
    @click.argument("followup_id", required=False)
    @click.option("--kind", type=click.Choice(TRIGGERS), help="Only of this kind.")
    @click.option("--reason", help="Only with this reason, such as no_smtp.")
    @click.option("--state", type=click.Choice((FAILED, SKIPPED)), default=FAILED, show_default=True)
    def retry(followup_id: str | None, kind: str | None, reason: str | None, state: str) -> None:
        """Queue what has failed anew: the follow-up FOLLOWUP_ID, or all that the options say."""
        named = {"_id": followup_id, "kind": kind, "reason": reason}
        query = {"state": state} | {name: value for name, value in named.items() if value}
        found = outbox.find(store, query, RETRIED)
        queued = sum(
            outbox.requeue(store, outreach["_id"], entry["_id"], now())
            for outreach in found
            for entry in outreach["followups"]
            if query.items() <= entry.items()
        )
        more = "; there may be more, repeat" if len(found) == RETRIED else ""
        click.echo(f"{queued} queued{more}.")

    return followups


def worker_command(store: Store, reference: Reference, settings: Settings) -> click.Command:
    """The command `worker`."""

    @click.command("worker")
    @click.option("--once", is_flag=True, help="End when nothing is due, for a scheduler that starts it now and then.")
    def worker(once: bool) -> None:
        """Send follow-ups and tell webhooks until it is stopped. Several may run side by side."""
        if not settings.public_url:
            raise click.UsageError("PUBLIC_URL is needed: mails and webhooks link to us.")
        ways = transports(store, settings)
        followups = Followups(store, reference, settings, ways)
        http = HttpPost(settings.webhook_networks)
        webhooks = Webhooks(store, Hal(settings.public_url, settings.namespace), settings, http)
        click.echo(f"Sending {', '.join(ways) or 'nothing: neither SMTP_URL nor a gateway is set'}; telling webhooks.")
        works: tuple[Work, ...] = (followups.do_next, webhooks.deliver_next)
        try:
            if not run(works, once=once):
                raise click.ClickException("Something was still being sent; another worker takes it over.")
        finally:
            followups.close()
            store.close()

    return worker


def _count_row(count: Mapping[str, Any]) -> tuple[str, ...]:
    oldest = count.get("oldest")
    return (
        count["state"],
        count.get("kind", ""),
        count.get("reason", ""),
        str(count["count"]) + (" outreaches" if count["state"] in (SENT, SKIPPED) else ""),
        minute(oldest) if oldest else "",
        str(count.get("leases_lost", "") or ""),
    )


def _entry_row(entry: Mapping[str, Any], outreach_id: str) -> tuple[str, ...]:
    queued, attempts = minute(entry["queued_date"]), str(entry["attempts"])
    return (entry["_id"], entry["kind"], entry["state"], entry.get("reason", ""), queued, attempts, outreach_id)
