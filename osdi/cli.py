"""Commands of the operator: `flask --app wsgi indexes`, `tokens create`, `sample`, `recount`."""

import click
from flask import Flask
from flask.cli import AppGroup

from osdi.auth import SCOPES, new_token
from osdi.resources import PERSON
from osdi.sample import create_sample
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS


def register_commands(app: Flask, store: Store, settings: Settings) -> None:
    """Add the commands to the application's flask command."""
    tokens = AppGroup("tokens", help="Who may use the API with a token.")

    @tokens.command("create")
    @click.argument("name")
    @click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Repeatable; default: all.")
    @click.option("--person", "person_id", help="Id of the person whose it is; what they create and change says so.")
    def create_token(name: str, scopes: tuple[str, ...], person_id: str | None) -> None:
        """Make a token called NAME. It is printed once, alone on the last line, and only its hash is kept."""
        if person_id and store.get(PERSON.collection, person_id) is None:
            raise click.BadParameter("There is no such person.", param_hint="--person")
        secret, document = new_token(name, scopes or SCOPES, person_id)
        store.write(Insert(TOKENS, document))
        click.echo(f"Token '{name}' with scope {', '.join(document['scopes'])}; it is shown only now:")
        click.echo(secret)

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

    app.cli.add_command(tokens)
