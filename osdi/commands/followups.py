"""The commands `followups`, which show the outbox, the failures with their reasons, and queue follow-ups again."""

from collections.abc import Mapping
from typing import Any, Final

import click

from osdi.action_functions.followup_kinds import FAILED, KINDS, SENT, SKIPPED, STATES
from osdi.commands.output import echo, minute, table
from osdi.commands.register import CommandContext, database_command
from osdi.errors import OsdiError
from osdi.followups import outbox_store
from osdi.followups.retry import query_of, retry_all, retry_one, selected, some_have_no_message
from osdi.store import Store

COLUMNS: Final = ("state", "kind", "reason", "count", "oldest", "leases lost")
ENTRY_COLUMNS: Final = ("id", "kind", "state", "reason", "queued", "attempts", "due", "outreach")
MAX_SHOWN: Final = 100


@click.group(invoke_without_command=True)
@database_command()
def followups(context: CommandContext) -> None:
    """Count follow-ups by state.

    A follow-up is queued, leased by a worker, sent, failed or skipped. Times are UTC.
    """
    if click.get_current_context().invoked_subcommand is None:
        echo(table(COLUMNS, map(_count_row, outbox_store.counts(context.store))))


def _not_empty(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Returns the value. Raises click.BadParameter for an empty one, as an unset variable of a script gives."""
    if value is not None and not value.strip():
        raise click.BadParameter("The value is empty.", param=parameter)
    return value


KIND: Final = click.option("--kind", type=click.Choice(KINDS), help="Only follow-ups of this kind.")
REASON: Final = click.option("--reason", callback=_not_empty, help="Only follow-ups with this reason, such as no_smtp.")


@followups.command("list")
@click.option("--state", type=click.Choice(STATES), default=FAILED, show_default=True)
@KIND
@REASON
@click.option("--limit", type=click.IntRange(1, 10_000), default=MAX_SHOWN, show_default=True)
@database_command()
def list_followups(context: CommandContext, state: str, kind: str | None, reason: str | None, limit: int) -> None:
    """List follow-ups, the oldest first.

    The column `due` has the time of the next attempt, or the time when the lease of a worker ends.
    """
    query = query_of(state, kind, reason)
    # One more outreach than is shown tells whether there are more.
    found = list(selected(outbox_store.find(context.store, query, limit + 1), query))
    echo(table(ENTRY_COLUMNS, [_entry_row(entry, outreach_id) for outreach_id, entry in found[:limit]]))
    if len(found) > limit:
        echo(f"There are more than {limit}. Use --limit to list more.", err=True)


@followups.command("retry")
@click.argument("followup_id", required=False, callback=_not_empty)
@KIND
@REASON
@click.option(
    "--state", type=click.Choice((FAILED, SKIPPED)), help=f"{SKIPPED} needs --reason too.  [default: {FAILED}]"
)
@database_command()
def retry(
    context: CommandContext, followup_id: str | None, kind: str | None, reason: str | None, state: str | None
) -> None:
    """Queue failed follow-ups again: the one with the id FOLLOWUP_ID, or all that the options select."""
    if followup_id is not None:
        if kind or reason or state:
            raise click.UsageError("Give FOLLOWUP_ID or options, not both.")
        _retry_one(context.store, followup_id)
        echo("Queued follow-ups: 1.")
        return
    if state == SKIPPED and not reason:
        raise click.UsageError(
            "Add --reason: most skipped follow-ups, such as those with sent_before, must not be sent."
        )
    query = query_of(state or FAILED, kind, reason)
    echo(f"Queued follow-ups: {retry_all(context.store, query)}.")
    if some_have_no_message(context.store, query):
        echo("Some follow-ups never had a message, so they cannot be sent.", err=True)


def _retry_one(store: Store, followup_id: str) -> None:
    """Queues one follow-up again. Raises click.BadParameter with the reason if that is impossible."""
    try:
        retry_one(store, followup_id)
    except OsdiError as error:
        if error.status >= 500:
            raise
        sentence = f"{error.descriptions[0].description} `followups list` shows the ids and states."
        raise click.BadParameter(sentence, param_hint="FOLLOWUP_ID") from error


def _count_row(count: Mapping[str, Any]) -> tuple[str, ...]:
    oldest, number = count.get("oldest"), count["count"]
    outreaches = f" outreach{'' if number == 1 else 'es'}" if count["state"] in (SENT, SKIPPED) else ""
    return (
        count["state"],
        count.get("kind", ""),
        count.get("reason", ""),
        f"{number}{outreaches}",
        minute(oldest) if oldest else "",
        str(count.get("leases_lost", "") or ""),
    )


def _entry_row(entry: Mapping[str, Any], outreach_id: str) -> tuple[str, ...]:
    due = minute(entry["not_before"]) if "not_before" in entry else ""
    queued, attempts = minute(entry["queued_date"]), str(entry["attempts"])
    return (entry["_id"], entry["kind"], entry["state"], entry.get("reason", ""), queued, attempts, due, outreach_id)
