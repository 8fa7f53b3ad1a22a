"""The command `worker`, which sends follow-ups, delivers webhooks and finishes background tasks."""

from functools import partial
from typing import Final

import click

from osdi.action_functions.followup_kinds import AUTORESPONSE
from osdi.crud.reference_cache import Reference
from osdi.errors import OsdiError
from osdi.followups.delivery import Followups
from osdi.followups.transports import transports
from osdi.hal import Hal
from osdi.http_client.post import HttpPost
from osdi.operations.readiness import missing_indexes
from osdi.operations.worker_loop import Work, run
from osdi.people.merge import complete_next_merge
from osdi.privacy.erasure import resume_erasure
from osdi.privacy.retention import Retention
from osdi.settings import Settings
from osdi.store import Store
from osdi.webhooks.delivery import Webhooks

NAMED: Final = 5


def worker_command(store: Store, reference: Reference, settings: Settings) -> click.Command:
    """The command `worker`."""

    @click.command("worker")
    @click.option("--once", is_flag=True, help="End when nothing is due, for a scheduler that starts it now and then.")
    def worker(once: bool) -> None:
        """Send follow-ups, tell webhooks and finish merges until it is stopped. Several may run side by side."""
        if not settings.public_url:
            raise click.UsageError("PUBLIC_URL is needed: mails and webhooks link to us.")
        ways = transports(store, settings)
        nothing = "nothing, so what is queued is skipped: neither SMTP_URL nor a gateway is set"
        click.echo(f"Sending {', '.join(ways) or nothing}; telling webhooks.")
        if AUTORESPONSE in ways and not settings.mail_from:
            click.echo("MAIL_FROM is not set: a mail whose message has no address of its own fails.", err=True)
        _check_indexes(store, once)
        followups = Followups(store, reference, settings, ways)
        http = HttpPost(settings.webhook_networks)
        webhooks = Webhooks(store, Hal(settings.public_url, settings.namespace), settings, http)
        retention = Retention(store, settings)
        settle = partial(complete_next_merge, store, settings.match_key_rules, resume_erasure)
        works: tuple[Work, ...] = (followups.do_next, webhooks.deliver_next, settle, retention.do_next)
        try:
            wrong = run(works, once=once)
            if wrong:
                raise click.ClickException(wrong)
        finally:
            followups.close()
            store.close()

    return worker


def _check_indexes(store: Store, once: bool) -> None:
    """Say which indexes are missing. Raises OsdiError 503 where the database is away, and it is not waited for."""
    try:
        missing = missing_indexes(store)
    except OsdiError:
        if once:
            raise
        return  # the work waits for it, and says so in the log
    if missing:
        more = ", ..." if len(missing) > NAMED else ""
        message = (
            f"{len(missing)} indexes are missing, which `flask --app wsgi release` creates; until then it is slow: "
        )
        click.echo(message + ", ".join(missing[:NAMED]) + more, err=True)
