"""The command `worker`, which sends follow-ups, delivers webhooks, imports files and finishes background tasks."""

from functools import partial
from typing import Final

import click

from osdi.action_functions.followup_kinds import AUTORESPONSE, CALL_RESPONSE, SMS_RESPONSE
from osdi.commands.output import echo
from osdi.commands.register import CommandContext, database_command
from osdi.errors import OsdiError
from osdi.followups.delivery import Followups
from osdi.followups.transports import transports
from osdi.hal import Hal
from osdi.http_client.post import HttpPost
from osdi.importing.jobs.due_jobs import ImportJobs
from osdi.operations.foreign_documents import reject_foreign_documents
from osdi.operations.readiness import missing_indexes
from osdi.operations.worker_loop import Work, run
from osdi.outreaches.repeat_keys_store import RepeatKeys
from osdi.people.custom_names_store import CustomNamesAhead
from osdi.people.merge import complete_next_merge
from osdi.privacy.erasure import resume_erasure
from osdi.privacy.retention import Retention
from osdi.staff.links import mails_are_sent
from osdi.staff.sign_in_mails import SignInMails
from osdi.statistics.ahead import StatisticsAhead
from osdi.store import Store
from osdi.version import VERSION
from osdi.webhooks.delivery import Webhooks

INDEXES_SHOWN: Final = 5


@click.command()
@click.option("--once", is_flag=True, help="Exit when nothing is due. Use it if a scheduler starts the worker.")
@database_command(prepared=False)
def worker(context: CommandContext, once: bool) -> None:
    """Send follow-ups and deliver webhooks.

    The worker also imports uploaded files, counts statistics, and finishes merges and erasures. It runs until it is
    stopped. Several workers can run at the same time.
    """
    store, settings = context.store, context.settings
    if not settings.public_url:
        raise click.UsageError("Set PUBLIC_URL: mails and webhooks contain links to the server.")
    ways = transports(store, settings)
    nothing = "nothing, since neither SMTP_URL nor a gateway is set: follow-ups are skipped"
    echo(f"OSDI Outreach Server {VERSION}. Sending {', '.join(ways) or nothing}. Delivering webhooks.")
    if AUTORESPONSE in ways and not settings.mail_from:
        echo("MAIL_FROM is not set: a mail fails if its message has no sender of its own.", err=True)
    if not settings.allowed_phone_countries and {SMS_RESPONSE, CALL_RESPONSE}.intersection(ways):
        echo("PHONE_COUNTRIES is not set: texts and calls of posts without a token are skipped.", err=True)
    _check_indexes(store, once)
    followups = Followups(store, context.reference, settings, ways)
    http = HttpPost(settings.webhook_networks)
    webhooks = Webhooks(store, Hal(settings.public_url, settings.namespace), settings, http)
    retention = Retention(store, settings)
    merges = partial(complete_next_merge, store, settings.match_key_rules, resume_erasure)
    repeats = RepeatKeys(store, settings.repeat_seconds)
    ahead = StatisticsAhead(store, settings.zone)
    works: tuple[Work, ...] = (followups.do_next, webhooks.deliver_next, merges, retention.do_next, repeats.do_next)
    works = (*works, ahead.do_next, CustomNamesAhead(store).do_next)
    sign_in_mails = SignInMails(store, settings) if mails_are_sent(settings) else None
    if sign_in_mails:
        works = (*works, sign_in_mails.do_next)
    imports = ImportJobs(store, settings, context.load_body)
    works = (*works, imports.do_next)
    try:
        if problem := run(works, once=once):
            raise click.ClickException(problem)
    finally:
        followups.close()
        if sign_in_mails:
            sign_in_mails.close()
        imports.close()
        store.close()


def _check_indexes(store: Store, once: bool) -> None:
    """Prints the missing indexes. Raises OsdiError 503 if the database does not respond and the worker runs once."""
    try:
        missing = missing_indexes(store)
    except OsdiError:
        if once:
            raise
        return  # the loop waits for the database, and logs that
    if missing:
        reject_foreign_documents(store)
        more = ", ..." if len(missing) > INDEXES_SHOWN else ""
        listed = ", ".join(missing[:INDEXES_SHOWN]) + more
        problem = f"{len(missing)} indexes are missing, so the worker is slow"
        echo(f"{problem}. `bin/osdi release` creates them: {listed}", err=True)
