"""Commands that prepare the database: `release`, `indexes`, `sample` and `recount`."""

from functools import partial
from typing import Final

import click

from osdi.commands.output import echo
from osdi.commands.register import CommandContext, database_command
from osdi.crud.totals_store import recount as recount_outreaches
from osdi.operations.foreign_documents import reject_foreign_documents
from osdi.operations.migrations import migrate
from osdi.operations.readiness import wait_for_database
from osdi.sample import create_sample

WAIT: Final = click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(0, 3600),
    default=60,
    show_default=True,
    help="Seconds to wait until the database answers.",
)


@click.command()
@WAIT
# A platform runs it whatever the database is; in memory there is nothing to do.
@database_command(in_memory=True, prepared=False)
def release(context: CommandContext, seconds: float) -> None:
    """Prepare the database for this version.

    The command migrates the database and creates its indexes. Run it before the new version serves. It can be repeated,
    and two can run at the same time. After an upgrade, the command of the former version goes back to that version, if
    that one can read what the newer one has migrated.
    """
    with context.store.accepting_newer_schema():
        wait_for_database(context.store, seconds, partial(echo, err=True))
        version = migrate(context.store, context.settings.match_key_rules, echo)
    names = context.store.create_indexes()
    echo(f"The database has schema_version {version} and {len(names)} indexes.")


@click.command()
@WAIT
@database_command(in_memory=True, prepared=False)
def indexes(context: CommandContext, seconds: float) -> None:
    """Create the indexes, as `release` does.

    It can be repeated.
    """
    wait_for_database(context.store, seconds, partial(echo, err=True))
    reject_foreign_documents(context.store)
    names = context.store.create_indexes()
    echo(f"The database has {len(names)} indexes: {', '.join(names)}")


@click.command()
@database_command()
def sample(context: CommandContext) -> None:
    """Create the data of OSDI's examples.

    These are a campaign, tags, a list, questions and messages. It can be repeated.
    """
    for line in create_sample(context.store, context.settings.namespace):
        echo(line)


@click.command()
@database_command()
def recount(context: CommandContext) -> None:
    """Count the outreaches of all campaigns again.

    Use it if a total is wrong.
    """
    echo(f"The outreaches of {recount_outreaches(context.store)} campaigns are counted when a client next reads them.")
