"""HTTP routes: one module per OSDI resource; each view calls one function of osdi.

`http/` has code that all views share, `operations/` the routes that OSDI does not define (statistics, downloads,
webhooks, health), and `browser/` the pages for browsers.
"""

from typing import Final

from blueprints import (
    advocacy_campaigns,
    answers,
    entry_point,
    items,
    lists,
    messages,
    outreaches,
    people,
    questions,
    record_outreach_helper,
    taggings,
    tags,
    wrappers,
)
from blueprints.operations import (
    anonymous_posts,
    campaign_page,
    downloads,
    duplicates,
    followups,
    postal_codes,
    stats,
    suppressions,
    triggers,
    webhooks,
)

# The blueprints of the API, in the order in which the OpenAPI document lists their tags.
BLUEPRINTS: Final = (
    record_outreach_helper.blp,
    outreaches.blp,
    outreaches.across,
    advocacy_campaigns.blp,
    anonymous_posts.blp,
    triggers.blp,
    campaign_page.blp,
    postal_codes.blp,
    stats.blp,
    followups.blp,
    webhooks.blp,
    webhooks.feed,
    duplicates.blp,
    suppressions.blp,
    people.blp,
    downloads.blp,
    tags.blp,
    taggings.blp,
    lists.blp,
    items.blp,
    questions.blp,
    messages.blp,
    wrappers.blp,
    answers.blp,
    entry_point.blp,
)
