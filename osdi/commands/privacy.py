"""`export-person`, `erase-person`, `allow-reimport`, `retain`: what answers a supporter's request about their data."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import orjson

from osdi.commands.tables import one_line
from osdi.documents import Document
from osdi.hal import Hal
from osdi.ids import now
from osdi.people.lookup import find_people_by_text, keys_of
from osdi.people.merged_people_store import all_ids, ids_of, merged_copies_of
from osdi.privacy.anonymisation import ANONYMISE, CHOICES, DELETE, KEEP
from osdi.privacy.erasure import Erased, erase, finish_next_erasure
from osdi.privacy.erasure_store import count_outreaches, tokens_of
from osdi.privacy.person_export import person_export
from osdi.privacy.retention import drop_old_texts
from osdi.privacy.tombstones import forget_erasure
from osdi.settings import Settings
from osdi.statistics.invalidation_store import drop_stale_rollups
from osdi.store import Store

WHO: Final = "ID|EMAIL|IDENTIFIER"
BECOMES: Final = {
    KEEP: "stay as they are, without the person",
    ANONYMISE: "stay counted, without their texts and identifiers",
    DELETE: "are deleted, and totals go down by them",
}
# Readable and writable by the operator alone.
PRIVATE: Final = 0o600
COMMAND_SECONDS: Final = 3_600.0
# Characters of what is said of somebody.
LINE: Final = 300
PATH: Final = click.Path(dir_okay=False, path_type=Path)


def privacy_commands(store: Store, settings: Settings) -> Sequence[click.Command]:
    """The commands, to be added to the application's flask command."""

    @click.command("export-person")
    @click.argument("who", metavar=WHO)
    @click.option("-o", "--output", type=PATH, help="A file that is not there yet; default: standard output.")
    def export_person(who: str, output: Path | None) -> None:
        """Print everything that is stored about one person, as JSON. A phone number means a person too."""
        person = _one_meant(store, who, settings)
        exported = person_export(store, Hal(settings.public_url, settings.namespace), person)
        text = orjson.dumps(exported, option=orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)
        if output is None:
            click.echo(text.decode())
        else:
            _write_new(output, text + b"\n")
            click.echo(f"Everything about {_called(person)} is in {output}.")

    @click.command("erase-person")
    @click.argument("who", metavar=WHO)
    @click.option("--outreaches", type=click.Choice(CHOICES), default=ANONYMISE, show_default=True)
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def erase_person(who: str, outreaches: str, yes: bool) -> None:
        """Erase one person for good. Their outreaches stay counted, unless they are to be deleted too."""
        if not find_people_by_text(store, who, settings.match_key_rules):
            # Completes an erasure that was interrupted.
            erase(store, who, settings.match_key_rules, seconds=COMMAND_SECONDS)
        person = _one_meant(store, who, settings)
        people = all_ids(ids_of(person), merged_copies_of(store, ids_of(person)))
        tokens = tokens_of(store, people)
        if not yes:
            count = count_outreaches(store, people)
            click.echo(f"{_described(person)}; outreaches: {count}; people merged into them: {len(people) - 1}.")
            click.echo(f"Outreaches {BECOMES[outreaches]}. This cannot be undone.")
            click.confirm("Erase this person?", abort=True)
        erased = erase(store, person["_id"], settings.match_key_rules, outreaches, seconds=COMMAND_SECONDS)
        click.echo(f"Erased {person['_id']}. {_took(erased, outreaches)}")
        if tokens:
            names = ", ".join(f"'{token['name']}' ({token['_id']})" for token in tokens)
            click.echo(f"Tokens that were theirs still work, see `tokens revoke`: {names}.", err=True)

    @click.command("allow-reimport")
    @click.argument("who", metavar="EMAIL|IDENTIFIER|NUMBER")
    def lift_erasure(who: str) -> None:
        """Let imports bring somebody back who was erased, and has asked for it."""
        if not forget_erasure(store, keys_of(who, settings.match_key_rules)):
            raise click.BadParameter("Nobody who was erased is known by it.", param_hint="EMAIL|IDENTIFIER|NUMBER")
        click.echo("Imports may bring back whoever has it, unless they have more that is known: lift that, too.")

    @click.command("retain")
    def retain() -> None:
        """Drop what is no longer to be kept, once: for a scheduler where no worker runs."""
        ended = 0
        while finish_next_erasure(store, settings.match_key_rules, now(), COMMAND_SECONDS):
            ended += 1
        drop_stale_rollups(store)
        click.echo(f"Erasures that ended: {ended}.")
        if not settings.retain_message_days:
            click.echo("RETAIN_MESSAGE_DAYS is not set: the texts of outreaches stay.")
            return
        dropped, more = 0, 1
        while more:
            more, changed = drop_old_texts(store, settings.retain_message_days, now())
            dropped += changed
        click.echo(f"Outreaches whose texts were dropped: {dropped}.")

    return export_person, erase_person, lift_erasure, retain


def _one_meant(store: Store, who: str, settings: Settings) -> Document:
    """The person who is meant. Raises click.BadParameter for nobody and for several."""
    found = find_people_by_text(store, who, settings.match_key_rules) if who.strip() else []
    if not found:
        raise click.BadParameter("There is nobody.", param_hint=WHO)
    if len(found) > 1:
        several = "\n".join(f"  {_described(each)}" for each in found)
        raise click.BadParameter(f"{len(found)} people have it; name one by id:\n{several}", param_hint=WHO)
    return found[0]


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there, for the operator's eyes. Raises click.BadParameter."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}.", param_hint="--output") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _called(person: Document) -> str:
    named = " ".join(person[name] for name in ("given_name", "family_name") if name in person)
    return one_line(named, LINE) or str(person["_id"])


def _described(person: Document) -> str:
    """Id, name, addresses and numbers of a person, for whoever has to tell people apart."""
    contacts = [
        str(entry[value])
        for array, value in (("email_addresses", "address"), ("phone_numbers", "number"))
        for entry in person.get(array, ())
        if value in entry
    ]
    called = [_called(person)] if _called(person) != person["_id"] else []
    return one_line(", ".join([person["_id"], *called, *contacts]), LINE)


def _took(erased: Erased, outreaches: str) -> str:
    return f"Outreaches that {BECOMES[outreaches]}: {erased.outreaches}. People merged into them: {erased.merged}."
