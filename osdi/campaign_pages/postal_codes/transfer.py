"""Takes and gives the whole table of a campaign, as a CSV file."""

from collections.abc import Mapping
from typing import Any

from osdi.campaign_pages.postal_codes.postal_codes_store import entries, replace_table
from osdi.campaign_pages.postal_codes.table import as_csv, label, read_table, report
from osdi.campaign_pages.targets import target_key
from osdi.errors import MAX_DESCRIPTIONS, ErrorDescription, OsdiError
from osdi.store import Store


def upload(store: Store, campaign: Mapping[str, Any], text: str, *, dry_run: bool) -> dict[str, Any]:
    """Stores a file as the table of the campaign; returns its counts, and with `dry_run` its problems.

    A dry run stores nothing. Raises OsdiError 400 for a text that is no table, and without `dry_run` for a table with
    problems, of which nothing is stored; 409, 503.
    """
    target_list = campaign.get("target_list", ())
    table = read_table(text, target_list)
    found = {"stored": not dry_run, **report(table, target_list)}
    if dry_run:
        return found
    if table.problems:
        problems = (
            ErrorDescription("INVALID", each.message, (f"line {each.line}",))
            for each in table.problems[:MAX_DESCRIPTIONS]
        )
        raise OsdiError(400, *problems)
    replace_table(store, campaign["_id"], table)
    return found


def download(store: Store, campaign: Mapping[str, Any]) -> str:
    """Returns the campaign's table as a file, which has the header only if there is no table. Raises OsdiError 503.

    A target that is no longer in `target_list` has the text by which it was known; an upload rejects it.
    """
    target_list = campaign.get("target_list", ())
    labels = {target_key(target): label(target_list, position) for position, target in enumerate(target_list)}
    rows = [
        (code, labels.get(key) or key.partition(":")[2])
        for code, keys in entries(store, campaign["_id"])
        for key in keys
    ]
    return as_csv(rows)
