"""Rules of a PUT for the settings of a campaign's public page: merging them, and the slug of a published page.

The slugs of a campaign are match keys, so the unique index decides which of two campaigns gets one. A campaign keeps
its former slugs, since links to them exist.
"""

from collections.abc import Mapping
from itertools import chain, count, islice
from typing import Any, Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import conflict
from osdi.match_keys import MatchKeyRules, slug_key
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.store import Store
from osdi.values.slugs import slug_of, with_number

PAGE: Final = "page"
# Numbers behind a slug that are looked up at once.
AT_ONCE: Final = 20


def replace_settings(stored: Any, posted: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings after a PUT: an object changes by name, null restores a default, others are replaced."""
    merged = dict(stored or {})
    for name, value in posted.items():
        merged[name] = replace_settings(merged.get(name), value) if isinstance(value, Mapping) else value
    return {name: value for name, value in merged.items() if value not in (None, {})}


def slug_keys(store: Store, changed: Document, named: ReadOnlyDocument, rules: MatchKeyRules) -> list[str]:
    """Returns the match key of the campaign's slug; sets the slug of a published page that has none.

    Raises OsdiError 409 if another campaign has the slug that the PUT names.
    """
    settings = changed.get(PAGE, {})
    if settings.get("published") and "slug" not in settings:
        slug = _free_slug(store, slug_of(changed.get("title") or changed.get("name", "")), changed["_id"])
        changed[PAGE] = settings = {**settings, "slug": slug}
    if "slug" not in settings:
        return []
    key = slug_key(settings["slug"])
    if named.get(PAGE, {}).get("slug") and _owned_by_others(store, [key], changed["_id"]):
        message = "Another campaign has this slug, or had it once, so that links to it exist. Choose another one."
        raise conflict("SLUG_EXISTS", message, "slug", resource=ADVOCACY_CAMPAIGN.rel)
    return [key]


def _free_slug(store: Store, slug: str, campaign_id: str) -> str:
    """Returns the slug, or the slug with the first number from 2 on, that no other campaign has."""
    numbered = chain([slug], (with_number(slug, number) for number in count(2)))
    while True:
        some = list(islice(numbered, AT_ONCE))
        owned = _owned_by_others(store, map(slug_key, some), campaign_id)
        for each in some:
            if slug_key(each) not in owned:
                return each


def _owned_by_others(store: Store, keys: Any, campaign_id: str) -> set[str]:
    """Returns the match keys of other campaigns that own some of these."""
    owners = store.by_match_keys(ADVOCACY_CAMPAIGN.collection, list(keys))
    return {key for owner in owners if owner["_id"] != campaign_id for key in owner["match_keys"]}
