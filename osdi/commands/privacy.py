"""The commands about the data of one person, and `apply-retention`, which deletes data that is kept no longer."""

from pathlib import Path
from typing import Final

import click
import orjson

from osdi.commands.output import confirm, destination, echo, one_line, printable_json
from osdi.commands.register import CommandContext, database_command
from osdi.crud.delete import complete_next_deletion
from osdi.documents import Document
from osdi.hal import Hal
from osdi.ids import now
from osdi.people.lookup import find_people_by_text, keys_of
from osdi.people.merged_people_store import all_ids, ids_of, merged_copies_of
from osdi.privacy.anonymisation import ANONYMISE, CHOICES, DELETE, KEEP
from osdi.privacy.erasure import erase, finish_next_erasure
from osdi.privacy.erasure_store import count_outreaches, tokens_of
from osdi.privacy.person_export import person_export
from osdi.privacy.retention import drop_old_texts
from osdi.privacy.tombstones import forget_erasure
from osdi.settings import Settings
from osdi.statistics.invalidation_store import drop_stale_rollups
from osdi.store import Store

WHO: Final = "ID|EMAIL|IDENTIFIER"
# The result for the outreaches of an erased person, and the verb for their number.
BECOME: Final = {
    KEEP: ("stay as they are, without the person", "kept"),
    ANONYMISE: ("lose their texts and identifiers, and stay in the totals", "anonymised"),
    DELETE: ("are deleted, and the totals go down", "deleted"),
}
COMMAND_SECONDS: Final = 3_600.0
# Characters of the line that describes a person.
MAX_LINE_LENGTH: Final = 300
KEY: Final = "EMAIL|IDENTIFIER|NUMBER"
PATH: Final = click.Path(dir_okay=False, path_type=Path)


@click.command("export-person")
@click.argument("who", metavar=WHO)
@click.option("-o", "--output", type=PATH, help="A new file. Default: standard output.")
@database_command()
def export_person(context: CommandContext, who: str, output: Path | None) -> None:
    """Export all data about one person as JSON.

    A phone number finds the person too.
    """
    store, settings = context.store, context.settings
    person = _find_person(store, who, settings)
    exported = person_export(store, Hal(settings.public_url, settings.namespace), person, settings.match_key_rules)
    text = orjson.dumps(exported, option=orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)
    if output is None:
        echo(printable_json(text.decode()))
    else:
        with destination(output, new=True) as file:
            file.write(text + b"\n")
        echo(f"All data about {_name(person)} is in {output}.")


@click.command("erase-person")
@click.argument("who", metavar=WHO)
@click.option("--outreaches", type=click.Choice(CHOICES), default=ANONYMISE, show_default=True)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_command()
def erase_person(context: CommandContext, who: str, outreaches: str, yes: bool) -> None:
    """Erase one person for good. Their outreaches stay in the totals, unless you delete them too."""
    store, settings, rules = context.store, context.settings, context.settings.match_key_rules
    if not find_people_by_text(store, who, rules):
        # Completes an erasure that was interrupted.
        erase(store, who, rules, seconds=COMMAND_SECONDS)
    person = _find_person(store, who, settings)
    people = all_ids(ids_of(person), merged_copies_of(store, ids_of(person)))
    tokens = tokens_of(store, people)
    result, verb = BECOME[outreaches]
    if not yes:
        count = count_outreaches(store, people)
        echo(f"{_described(person)}; outreaches: {count}; people merged into this one: {len(people) - 1}.")
        echo(f"The outreaches {result}. This cannot be undone.")
        confirm("Erase this person?")
    erased = erase(store, person["_id"], rules, outreaches, seconds=COMMAND_SECONDS)
    echo(f"Erased {person['_id']}. Outreaches {verb}: {erased.outreaches}. Merged people erased: {erased.merged}.")
    if tokens:
        names = ", ".join(f"'{token['name']}' ({token['_id']})" for token in tokens)
        echo(f"Tokens of this person still work. To end them, use `tokens revoke`: {names}.", err=True)


@click.command("allow-reimport")
@click.argument("who", metavar=KEY)
@database_command()
def allow_reimport(context: CommandContext, who: str) -> None:
    """Allow imports to create an erased person.

    Use it if the person has asked to come back. Imports reject erased people otherwise.
    """
    if not forget_erasure(context.store, keys_of(who, context.settings.match_key_rules)):
        raise click.BadParameter("No erased person had this address, identifier or number.", param_hint=KEY)
    echo("Imports may now create this person again. Other tombstones may still block them; remove those too.")


@click.command("apply-retention")
@database_command()
def apply_retention(context: CommandContext) -> None:
    """Delete data that is kept no longer, once. Use it if no worker runs."""
    store, settings = context.store, context.settings
    ended = 0
    while finish_next_erasure(store, settings.match_key_rules, now(), COMMAND_SECONDS):
        ended += 1
    while complete_next_deletion(store, now()):
        pass
    drop_stale_rollups(store)
    echo(f"Erasures completed: {ended}.")
    if not settings.retain_message_days:
        echo("RETAIN_MESSAGE_DAYS is not set: the texts of outreaches are kept.")
        return
    dropped, more = 0, 1
    while more:
        more, changed = drop_old_texts(store, settings.retain_message_days, now())
        dropped += changed
    echo(f"Outreaches whose texts were deleted: {dropped}.")


def _find_person(store: Store, who: str, settings: Settings) -> Document:
    """Returns the person. Raises click.BadParameter if nobody is found, or several people."""
    found = find_people_by_text(store, who, settings.match_key_rules) if who.strip() else []
    if not found:
        raise click.BadParameter("No person found.", param_hint=WHO)
    if len(found) > 1:
        several = "\n".join(f"  {_described(each)}" for each in found)
        raise click.BadParameter(f"{len(found)} people found. Give the id of one:\n{several}", param_hint=WHO)
    return found[0]


def _name(person: Document) -> str:
    named = " ".join(person[name] for name in ("given_name", "family_name") if name in person)
    return one_line(named, MAX_LINE_LENGTH) or str(person["_id"])


def _described(person: Document) -> str:
    """Returns the id, name, addresses and numbers of a person in one line."""
    contacts = [
        str(entry[value])
        for array, value in (("email_addresses", "address"), ("phone_numbers", "number"))
        for entry in person.get(array, ())
        if value in entry
    ]
    name = [_name(person)] if _name(person) != person["_id"] else []
    return one_line(", ".join([person["_id"], *name, *contacts]), MAX_LINE_LENGTH)
