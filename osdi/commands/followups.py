"""`followups`: how the outbox stands, what has failed and why, and trying it again; `worker`: doing them."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from osdi.action_functions.followup_kinds import FAILED, SENT, SKIPPED, STATES, TRIGGERS
from osdi.commands.tables import minute, table
from osdi.documents import Document
from osdi.followups import outbox_store
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.store import Store

COLUMNS: Final = ("state", "kind", "reason", "count", "oldest", "leases lost")
ENTRY_COLUMNS: Final = ("id", "kind", "state", "reason", "queued", "attempts", "due", "outreach")
SHOWN: Final = 100

# Outreaches that are read at a time while many are queued anew.
BATCH: Final = 500

# An outreach's id and those of its follow-ups are made by one process in a moment.
TOGETHER: Final = dt.timedelta(minutes=1)


def followup_commands(store: Store) -> click.Group:
    """The group `followups`, to be added to the application's flask command."""

    @click.group("followups", invoke_without_command=True)
    @click.pass_context
    def followups(context: click.Context) -> None:
        """How the follow-ups stand: queued, leased, sent, failed, skipped. Times are UTC."""
        if context.invoked_subcommand is None:
            rows = [_count_row(each) for each in outbox_store.counts(store)]
            click.echo(table(COLUMNS, rows))

    @followups.command("list")
    @click.option("--state", type=click.Choice(STATES), default=FAILED, show_default=True)
    @click.option("--kind", type=click.Choice(TRIGGERS), help="Only of this kind.")
    @click.option("--reason", callback=_said, help="Only with this reason, such as no_smtp.")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=SHOWN, show_default=True)
    def list_followups(state: str, kind: str | None, reason: str | None, limit: int) -> None:
        """Print follow-ups, the oldest first. Due is when one is tried next, or when a worker loses its lease."""
        query = _query(state, kind, reason)
        # One more outreach than is shown says that there are more.
        found = list(_entries(outbox_store.find(store, query, limit + 1), query))
        rows = [_entry_row(entry, outreach_id) for outreach_id, entry in found[:limit]]
        click.echo(table(ENTRY_COLUMNS, rows))
        if len(found) > limit:
            click.echo(f"There are more than these {limit}; see --limit.", err=True)

    @followups.command("retry")
    @click.argument("followup_id", required=False, callback=_said)
    @click.option("--kind", type=click.Choice(TRIGGERS), help="Only of this kind.")
    @click.option("--reason", callback=_said, help="Only with this reason, such as no_smtp.")
    @click.option(
        "--state", type=click.Choice((FAILED, SKIPPED)), help=f"{SKIPPED} takes --reason too.  [default: {FAILED}]"
    )
    def retry(followup_id: str | None, kind: str | None, reason: str | None, state: str | None) -> None:
        """Queue what has failed anew: the follow-up FOLLOWUP_ID, or all that the options say."""
        if followup_id is not None:
            if kind or reason or state:
                raise click.UsageError("FOLLOWUP_ID stands alone, or options without it.")
            _retry_one(store, followup_id)
            click.echo("1 queued.")
            return
        if state == SKIPPED and not reason:
            raise click.UsageError("Most were skipped for good reason, such as sent_before: name one by --reason.")
        query = _query(state or FAILED, kind, reason)
        click.echo(f"{_retry_all(store, query)} queued.")
        if outbox_store.find(store, query | {"message_id": {"$exists": False}}, 1):
            click.echo("Some had no message when they were asked for, and never can be sent.", err=True)

    return followups


def _said(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """What was said. Raises click.BadParameter for nothing, such as an unset variable of a script: it is not 'all'."""
    if value is not None and not value.strip():
        raise click.BadParameter("It is empty.", param=parameter)
    return value


def _query(state: str, kind: str | None, reason: str | None) -> Document:
    named = {"state": state, "kind": kind, "reason": reason}
    return {name: value for name, value in named.items() if value}


def _entries(outreaches: Sequence[Document], query: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each outreach's id with its follow-ups that the query, of equalities, selects."""
    for outreach in outreaches:
        for entry in outreach["followups"]:
            if query.items() <= entry.items():
                yield outreach["_id"], entry


def _retry_all(store: Store, query: Document) -> int:
    """Queue anew all that the query selects; how many these were."""
    left = {"queued_date": {"$lte": now()}, "message_id": {"$exists": True}}
    queued, seen = 0, set[str]()
    # What fails again meanwhile was queued later, or has been seen: it is left alone.
    while found := [
        (outreach_id, entry["_id"])
        for outreach_id, entry in _entries(outbox_store.find(store, query | left, BATCH), query)
        if entry["_id"] not in seen
    ]:
        seen |= {followup_id for _, followup_id in found}
        queued += sum(outbox_store.requeue(store, *each, now()) for each in found)
    return queued


def _retry_one(store: Store, followup_id: str) -> None:
    """Queue one follow-up anew. Raises click.BadParameter that says why not."""
    outreach = _outreach_with(store, followup_id)
    if outreach is None:
        raise _not_retried(f"There is no follow-up '{followup_id}'; `followups list` shows those that there are.")
    entry = next(each for each in outreach["followups"] if each["_id"] == followup_id)
    if entry["state"] not in (FAILED, SKIPPED):
        raise _not_retried(f"It is {entry['state']}; only what has failed or was skipped is queued anew.")
    if "message_id" not in entry:
        raise _not_retried("It had no message when it was asked for, so there is nothing to send.")
    if not outbox_store.requeue(store, outreach["_id"], followup_id, now()):
        raise _not_retried("Somebody else has queued it just now; look at `followups list --state queued`.")


def _outreach_with(store: Store, followup_id: str) -> Document | None:
    """The outreach that a follow-up belongs to: no index has follow-ups, but outreaches of that time are few."""
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
