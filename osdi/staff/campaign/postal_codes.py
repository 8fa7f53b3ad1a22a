"""The table of postal codes as its screens show it: what a member loses before it is replaced or deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from osdi.campaign_pages.postal_codes.postal_codes_store import delete_table, table_in_use
from osdi.campaign_pages.postal_codes.table import EXAMPLES, Table, best, read_table
from osdi.campaign_pages.targets import target_key
from osdi.documents import ReadOnlyDocument
from osdi.store import Store

# Stands for the file of a campaign without a table.
NOTHING: Final = Table()


@dataclass(frozen=True)
class TableChange:
    """A campaign's table, and the one that takes its place.

    `lost` has the codes of the present table that lead to a target now and to none afterwards; `gone` is the number of
    present codes whose targets are no longer in the campaign. `digest` names the present table.
    """

    lines_before: int
    codes_before: int
    lines_after: int
    codes_after: int
    lost: tuple[str, ...]
    gone: int
    digest: str

    @property
    def examples(self) -> tuple[str, ...]:
        """The first of the codes without a target."""
        return self.lost[:EXAMPLES]


def replacement(
    store: Store, campaign: ReadOnlyDocument, text: str, *, confirmed: str | None = None
) -> TableChange | None:
    """Returns the change by a file; None if it replaces no other table, or cannot be stored.

    `confirmed` is the digest of a table that a member has agreed to lose: None for that one too. Raises OsdiError 400
    for a text that is no such file, 503.
    """
    after = read_table(text, campaign.get("target_list", ()))
    before = table_in_use(store, campaign["_id"])
    if after.problems or not before.targets or before.targets == after.targets or confirmed == _digest(before):
        return None
    return _change(before, after, campaign.get("target_list", ()))


def deletion(store: Store, campaign: ReadOnlyDocument) -> TableChange | None:
    """Returns the change by the deletion of the table; None if there is no table. Raises OsdiError 503."""
    before = table_in_use(store, campaign["_id"])
    return _change(before, NOTHING, campaign.get("target_list", ())) if before.targets else None


def delete_if_unchanged(store: Store, campaign: ReadOnlyDocument, digest: str) -> bool:
    """Deletes the table if it has the digest. Returns False if there is another one. Raises OsdiError 503."""
    found = deletion(store, campaign)
    if found is not None and found.digest != digest:
        return False
    delete_table(store, campaign["_id"])
    return True


def _change(before: Table, after: Table, target_list: Sequence[Any]) -> TableChange:
    keys = {target_key(target) for target in target_list}
    present = {prefix: [each for each in targets if each in keys] for prefix, targets in before.targets.items()}
    leading = [prefix for prefix, targets in present.items() if targets]
    reached = after.targets
    return TableChange(
        lines_before=before.lines,
        codes_before=len(before.targets),
        lines_after=sum(map(len, reached.values())),
        codes_after=len(reached),
        lost=tuple(before.codes[each] for each in leading if each not in reached and not best(each, reached).keys),
        gone=len(present) - len(leading),
        digest=_digest(before),
    )


def _digest(table: Table) -> str:
    return sha256(orjson.dumps(table.targets, option=orjson.OPT_SORT_KEYS)).hexdigest()
