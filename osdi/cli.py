"""Commands of the operator: `flask --app wsgi indexes`, `sample`, `recount`, `worker`, and groups of others."""

import click
from flask import Flask

from osdi.followup_commands import followup_commands, worker_command
from osdi.reference import Reference
from osdi.sample import create_sample
from osdi.settings import Settings
from osdi.store import Store
from osdi.token_commands import token_commands
from osdi.webhook_commands import webhook_commands


def register_commands(app: Flask, store: Store, reference: Reference, settings: Settings) -> None:
    """Add the commands to the application's flask command."""

    @app.cli.command("indexes")
    def create_indexes() -> None:
        """Create the database's indexes; safe to repeat. The release step of a deployment."""
        names = store.create_indexes()
        click.echo(f"{len(names)} indexes are there: {', '.join(names)}")

    @app.cli.command("sample")
    def sample() -> None:
        """Create the campaign, tags, list and questions that the standard's examples name; safe to repeat."""
        for line in create_sample(store, settings.namespace):
            click.echo(line)

    @app.cli.command("recount")
    def recount() -> None:
        """Count every campaign's outreaches anew, should a number ever be doubted."""
        click.echo(f"{store.recount()} campaigns will be counted when they are read next.")

    app.cli.add_command(token_commands(store, settings))
    app.cli.add_command(followup_commands(store))
    app.cli.add_command(webhook_commands(store, settings))
    app.cli.add_command(worker_command(store, reference, settings))
