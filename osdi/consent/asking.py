"""The decision if the reader of a mailbox is asked to confirm a consent.

Somebody who has unsubscribed is asked, because the button of the mail is their own word, but seldom: anybody can post
any address. Nobody is asked who has complained of spam, or whose address bounces.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from osdi.consent.confirmation import added_to, opted_out_since, receipt_of
from osdi.documents import Document, Find, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules
from osdi.outreaches.consent_receipt import is_subscribed
from osdi.people.lookup import find_people_by_contact
from osdi.people.merge_rules import STRICTEST
from osdi.people.opt_outs import UNCONFIRMED, mail_opt_out
from osdi.resources import LIST, TAG
from osdi.suppression.opt_outs import MAIL, UNSUBSCRIBED, status_of
from osdi.suppression.suppression_list import SuppressionList

# A mailbox that has unsubscribed gets at most one confirmation mail in this time, of all campaigns together.
SELDOM: Final = dt.timedelta(days=30)


@dataclass(frozen=True)
class Asking:
    """The reason why a mailbox is not asked, as that of a follow-up; or None, and `seldom` if it has unsubscribed."""

    reason: str | None = None
    seldom: bool = False


def asking(
    suppressed: SuppressionList,
    find: Find,
    outreach: ReadOnlyDocument,
    person: ReadOnlyDocument,
    key: str,
    rules: MatchKeyRules,
) -> Asking:
    """Returns if the mailbox with this match key is asked to confirm the consent of the outreach. Raises OsdiError 503.

    `find` looks up lists and tags.
    """
    receipt = receipt_of(outreach)
    if receipt is None or "confirmed_date" in receipt:
        return Asking("not_asked" if receipt is None else "confirmed")
    opt_outs = suppressed.opt_outs(MAIL, key, whole_mailbox=True)
    statuses = {status_of(each["source"]) for each in opt_outs}
    statuses.add(mail_opt_out(find_people_by_contact(suppressed.store, key), key, rules) or "")
    opted_out = next((each for each in STRICTEST if each in statuses), None)
    if opted_out is None:
        return Asking("subscribed" if _nothing_left(find, receipt, person, key) else None)
    if opted_out != UNSUBSCRIBED or opted_out_since(opt_outs, receipt["given_date"]):
        return Asking(opted_out.replace(" ", "_"))
    return Asking(seldom=True)


def _nothing_left(find: Find, receipt: Document, person: ReadOnlyDocument, key: str) -> bool:
    """True if a token or a button has subscribed the address, and the person has the list and the tag."""
    ids = added_to(find, receipt)
    lists = {None, *(each["list_id"] for each in person.get("items", ()))}
    tags = {None, *(each["tag_id"] for each in person.get("taggings", ()))}
    confirmed = is_subscribed(person, key) and f"status {key}" not in person.get(UNCONFIRMED, ())
    return confirmed and ids.get(LIST) in lists and ids.get(TAG) in tags
