"""Events that a webhook can subscribe to, and how often each is delivered."""

from typing import Final

OUTREACH_RECORDED: Final = "outreach_recorded"
PERSON_CREATED: Final = "person_created"
PERSON_UPDATED: Final = "person_updated"
UNSUBSCRIBED: Final = "unsubscribed"
PERSON_DELETED: Final = "person_deleted"
PERSON_MERGED: Final = "person_merged"
PERSON_ERASED: Final = "person_erased"
OUTREACH_DELETED: Final = "outreach_deleted"
CAMPAIGN_DELETED: Final = "advocacy_campaign_deleted"
# Events of the record of a deletion (see osdi.deletions.records).
DELETION_EVENTS: Final = (PERSON_DELETED, PERSON_MERGED, PERSON_ERASED, OUTREACH_DELETED, CAMPAIGN_DELETED)
EVENTS: Final = (OUTREACH_RECORDED, PERSON_CREATED, PERSON_UPDATED, UNSUBSCRIBED, *DELETION_EVENTS)

# These report the latest state: of several that wait, one is delivered.
ABOUT_NOW: Final = (PERSON_UPDATED,)
# These report one change: each is delivered, and its key has the version. All others happen once in a document's life.
AT_A_VERSION: Final = (UNSUBSCRIBED,)
