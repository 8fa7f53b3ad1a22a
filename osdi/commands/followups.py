"""The commands `followups`, which show the outbox, the failures with their reasons, and queue follow-ups again."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from osdi.action_functions.followup_kinds import FAILED, KINDS, SENT, SKIPPED, STATES
from osdi.commands.output import echo, minute, table
from osdi.commands.register import CommandContext, database_command
from osdi.documents import Document
from osdi.followups import outbox_store
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.store import Store

COLUMNS: Final = ("state", "kind", "reason", "count", "oldest", "leases lost")
ENTRY_COLUMNS: Final = ("id", "kind", "state", "reason", "queued", "attempts", "due", "outreach")
SHOWN: Final = 100

# Outreaches that are read at a time while many follow-ups are queued again.
BATCH: Final = 500

# One process makes the ids of an outreach and of its follow-ups, within this time.
TOGETHER: Final = dt.timedelta(minutes=1)


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
@click.option("--limit", type=click.IntRange(1, 10_000), default=SHOWN, show_default=True)
@database_command()
def list_followups(context: CommandContext, state: str, kind: str | None, reason: str | None, limit: int) -> None:
    """List follow-ups, the oldest first.

    The column `due` has the time of the next attempt, or the time when the lease of a worker ends.
    """
    query = _query(state, kind, reason)
    # One more outreach than is shown tells whether there are more.
    found = list(_entries(outbox_store.find(context.store, query, limit + 1), query))
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
    query = _query(state or FAILED, kind, reason)
    echo(f"Queued follow-ups: {_retry_all(context.store, query)}.")
    if outbox_store.find(context.store, query | {"message_id": {"$exists": False}}, 1):
        echo("Some follow-ups never had a message, so they cannot be sent.", err=True)


def _query(state: str, kind: str | None, reason: str | None) -> Document:
    named = {"state": state, "kind": kind, "reason": reason}
    return {name: value for name, value in named.items() if value}


def _entries(outreaches: Sequence[Document], query: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields the id of an outreach with each of its follow-ups that the query, of equalities, selects."""
    for outreach in outreaches:
        for entry in outreach["followups"]:
            if query.items() <= entry.items():
                yield outreach["_id"], entry


def _retry_all(store: Store, query: Document) -> int:
    """Queues all follow-ups that the query selects again, and returns their number."""
    left = {"queued_date": {"$lte": now()}, "message_id": {"$exists": True}}
    queued, seen = 0, set[str]()
    # A follow-up that fails again meanwhile was queued later, or has been seen: it is not queued a second time.
    while found := [
        (outreach_id, entry["_id"])
        for outreach_id, entry in _entries(outbox_store.find(store, query | left, BATCH), query)
        if entry["_id"] not in seen
    ]:
        seen |= {followup_id for _, followup_id in found}
        queued += sum(outbox_store.requeue(store, *each, now()) for each in found)
    return queued


def _retry_one(store: Store, followup_id: str) -> None:
    """Queues one follow-up again. Raises click.BadParameter with the reason if that is impossible."""
    outreach = _outreach_of(store, followup_id)
    if outreach is None:
        raise _not_retried(f"No follow-up has the id '{followup_id}'. `followups list` shows the ids.")
    entry = next(each for each in outreach["followups"] if each["_id"] == followup_id)
    if entry["state"] not in (FAILED, SKIPPED):
        raise _not_retried(f"The follow-up is {entry['state']}. Only failed and skipped ones can be queued again.")
    if "message_id" not in entry:
        raise _not_retried("The follow-up never had a message, so there is nothing to send.")
    if not outbox_store.requeue(store, outreach["_id"], followup_id, now()):
        raise _not_retried("Somebody else has just queued the follow-up. See `followups list --state queued`.")


def _outreach_of(store: Store, followup_id: str) -> Document | None:
    """Returns the outreach of a follow-up, or None.

    No index has the ids of follow-ups. They contain their time, and few outreaches were created at that time.
    """
    try:
        made = dt.datetime.fromtimestamp(int(followup_id.replace("-", "")[:12], 16) / 1000, dt.UTC).replace(tzinfo=None)
        around = {"$gt": id_before(made - TOGETHER), "$lt": id_before(made + TOGETHER)}
    except (ValueError, OverflowError, OSError):
        return None
    return store.find_one(OUTREACH.collection, {"_id": around, "followups._id": followup_id})


def _not_retried(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="FOLLOWUP_ID")


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
