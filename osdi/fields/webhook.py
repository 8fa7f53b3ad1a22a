"""Events that a webhook can subscribe to, and how often each is delivered."""

from typing import Final

OUTREACH_RECORDED: Final = "outreach_recorded"
PERSON_CREATED: Final = "person_created"
PERSON_UPDATED: Final = "person_updated"
UNSUBSCRIBED: Final = "unsubscribed"
EVENTS: Final = (OUTREACH_RECORDED, PERSON_CREATED, PERSON_UPDATED, UNSUBSCRIBED)

# These report the latest state: of several that wait, one is delivered.
ABOUT_NOW: Final = (PERSON_UPDATED,)
# These report one change: each is delivered, and its key has the version. All others happen once in a document's life.
AT_A_VERSION: Final = (UNSUBSCRIBED,)
