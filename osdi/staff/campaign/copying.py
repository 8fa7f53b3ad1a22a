"""Copies a campaign: its fields, the settings of its page, its messages, its policy and its postal codes, as a draft.

The copy has no outreach, no identifier and no slug: these belong to one campaign. The addresses at which other systems
show the campaign, and the numbers of shares, stay with the original too.
"""

from collections.abc import Mapping
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.campaign_pages.postal_codes.postal_codes_store import delete_table, replace_table, table_in_use
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import OsdiError
from osdi.fields.limits import MAX_LINE_LENGTH
from osdi.ids import new_id, now
from osdi.match_keys import MatchKeyRules
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign_list import title_of
from osdi.store import Insert, Store

# Names the original in the title of the copy.
TITLE: Final = "Copy of {title}"
OF_THE_ORIGINAL: Final = frozenset(
    {"origin_system", "browser_url", "administrative_url", "share_url", "total_outreaches", "total_shares"}
)
# A campaign stores these beside the fields of OSDI.
SETTINGS: Final = ("triggers", "anonymous_posts")
OF_THE_PAGE: Final = frozenset({"published", "slug"})


def copy_campaign(store: Store, rules: MatchKeyRules, caller: Caller, campaign: ReadOnlyDocument) -> str:
    """Stores a copy of a campaign and returns its id. Raises OsdiError 503, and then there is no copy.

    The table of postal codes comes first, so that nobody finds a campaign without it.
    """
    copy = copy_of(campaign, rules, by=caller.person_id)
    table = table_in_use(store, campaign["_id"])
    try:
        if table.targets:
            replace_table(store, copy["_id"], table)
        store.write(Insert(ADVOCACY_CAMPAIGN.collection, copy))
    except OsdiError:
        delete_table(store, copy["_id"])
        raise
    return str(copy["_id"])


def copy_of(campaign: ReadOnlyDocument, rules: MatchKeyRules, *, by: str | None = None) -> Document:
    """Returns the document of a copy; `by` is the id of the person who copies."""
    copy_id, timestamp = new_id(), now()
    names = [*(name for name in ADVOCACY_CAMPAIGN.fields if name not in OF_THE_ORIGINAL), *SETTINGS]
    copy = {name: campaign[name] for name in names if name in campaign}
    if "share_options" in copy:
        copy["share_options"] = [_share_option(each) for each in copy["share_options"]]
    page = {name: value for name, value in campaign.get("page", {}).items() if name not in OF_THE_PAGE}
    title = title_of(campaign)
    return {
        **copy,
        "_id": copy_id,
        "version": 1,
        "created_date": timestamp,
        "modified_date": timestamp,
        "title": TITLE.format(title=title)[:MAX_LINE_LENGTH],
        "match_keys": [rules.own_key(copy_id)],
        **({"page": page} if page else {}),
        **({"creator_id": by, "modified_by_id": by} if by else {}),
    }


def _share_option(option: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the texts of an option without its address and its number of shares."""
    return {
        medium: {name: value for name, value in texts.items() if name not in OF_THE_ORIGINAL}
        for medium, texts in option.items()
    }
