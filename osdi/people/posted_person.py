"""The person of a post, and the document of the stored person after the post.

People are documents that the caller has read; they are not changed. Nothing here reads or writes the database, but
`count_and_check_limit` calls the counter of the rate limits.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.action_functions.resolve import Actions
from osdi.documents import Document
from osdi.errors import invalid
from osdi.fields.limits import MAX_ANONYMOUS_STORED_ENTRIES
from osdi.ids import new_id
from osdi.match_keys import (
    ANONYMOUS_ONLY,
    MatchKeyRules,
    MatchKeys,
    confirm_contacts,
    id_key,
    mailbox_key,
    name_and_postal_code_keys,
    phone_and_name_key,
)
from osdi.people.matching import Match
from osdi.people.merge_rules import (
    CLAIMED_IDENTIFIERS,
    keep_strictest_opt_out,
    merge_posted_values,
    within_anonymous_limits,
)
from osdi.people.opt_outs import (
    UNCONFIRMED,
    claimed_opt_outs,
    unconfirmed_after_change,
    unconfirmed_after_claim,
    without_opt_outs,
    without_unconfirmed,
)
from osdi.settings import Settings

PERSON_LINK: Final = "_links.osdi:person"


@dataclass(frozen=True)
class PostedPerson:
    """The person of a post: inline `fields`, a `link`, or both; and the action functions that the post requests.

    `trusted` is True if the identifiers count as given, False if they are only claimed. `by` is the id of the person
    whose token sends the post. `keeps_claims` is True if the post has no outreach that stores `claimed_opt_outs`: then
    a known person does. `source` is that of the opt-outs in the post, see osdi.suppression. `over_limit` is as in
    HelperRequest.
    """

    fields: Mapping[str, Any]
    link: str | None
    keys: MatchKeys
    name_keys: Sequence[str]
    actions: Actions
    rules: MatchKeyRules
    has_token: bool
    trusted: bool
    by: str | None = None
    imported: bool = False
    keeps_claims: bool = False
    source: str = "api"
    over_limit: Callable[[str], bool] | None = None

    @classmethod
    def of(
        cls,
        body: Mapping[str, Any],
        caller: Caller,
        actions: Actions,
        settings: Settings,
        *,
        keeps_claims: bool = False,
        over_limit: Callable[[str], bool] | None = None,
    ) -> "PostedPerson":
        """Returns the person of a helper's loaded body. Raises OsdiError 400 for a link without a token."""
        fields: Mapping[str, Any] = body.get("person", {})
        link: str | None = body.get("person_link", {}).get("person", {}).get("href")
        rules, trusted = settings.match_key_rules, caller.has_token or settings.trust_anonymous_identifiers
        if link is not None and not caller.has_token:
            raise invalid("Without a token the person is sent inline, not as a link.", PERSON_LINK)
        return cls(
            fields=fields,
            link=link,
            keys=rules.match_keys(fields, trusted=trusted),
            name_keys=name_and_postal_code_keys(fields),
            actions=actions,
            rules=rules,
            has_token=caller.has_token,
            trusted=trusted,
            by=caller.person_id,
            imported=caller.imports,
            keeps_claims=keeps_claims,
            source=caller.source,
            over_limit=over_limit,
        )

    def merged(self, match: Match, people: Sequence[Document], timestamp: dt.datetime) -> Document:
        """Returns the matched person's document, or a new one, with the post merged in.

        `people` own keys of the post. The keys of the person's name and the derived keys are left to the caller.
        """
        is_new = match.person is None
        stored = match.person or self._new_document(timestamp)
        elsewhere = match.owned_elsewhere
        person = merge_posted_values(
            stored,
            self.fields if self.has_token or is_new else without_opt_outs(self.fields),
            overwrite=self.has_token or is_new,
            owned_elsewhere=elsewhere,
            rules=self.rules,
        )
        if not self.has_token and not is_new:
            person = within_anonymous_limits(stored, person)
        if self.imported:
            others = [without_unconfirmed(each, self.rules) for each in (*people, stored)]
            person = keep_strictest_opt_out(person, others, self.rules)
        if not self.has_token or stored.get(UNCONFIRMED):
            self._set_unconfirmed(person, stored)
        if self.keeps_claims:
            _extend(person, "claimed_opt_outs", self.claimed_opt_outs)
        self._add_identity(person, self._contact_claims(is_new=is_new), elsewhere)
        if self.has_token and (self.keys.contacts or person != stored):
            confirm_contacts(person, self.keys.contacts)
        return self.actions.applied_to(person, now=timestamp, new_id=new_id)

    def count_and_check_limit(self, match: Match) -> bool:
        """Counts a post without a token by the contact detail that matches or is claimed; True if there are too many.

        Other details of the post do not count: anybody can post them, and nothing happens to their owners.
        """
        if self.over_limit is None:
            return False
        person = match.person
        key = next((key for key in self.keys.contacts if person is None or key in person["match_keys"]), None)
        return key is not None and self.over_limit(mailbox_key(key))

    @property
    def claimed_opt_outs(self) -> list[dict[str, Any]]:
        """The opt-outs of a post without a token, which are stored with the outreach."""
        return [] if self.has_token else claimed_opt_outs(self.fields)

    @property
    def editor(self) -> dict[str, str]:
        """The field with the id of the person who makes the change, if it is known."""
        return {"modified_by_id": self.by} if self.by else {}

    def _new_document(self, timestamp: dt.datetime) -> Document:
        person_id = new_id()
        return {
            "_id": person_id,
            "version": 1,
            "created_date": timestamp,
            "modified_date": timestamp,
            # Its own key keeps two people without any other key from colliding in the unique index.
            "match_keys": [self.rules.own_key(person_id)],
            **({} if self.has_token else {ANONYMOUS_ONLY: True}),
        }

    def _set_unconfirmed(self, person: Document, stored: Document) -> None:
        """Sets the statuses of the person that no token has confirmed."""
        if self.has_token:
            unconfirmed = unconfirmed_after_change(stored, person, self.fields, self.rules)
        else:
            unconfirmed = unconfirmed_after_claim(stored, person, self.rules)
        person.pop(UNCONFIRMED, None)
        if unconfirmed:
            person[UNCONFIRMED] = unconfirmed

    def _add_identity(self, person: Document, contacts: Sequence[str], elsewhere: Collection[str]) -> None:
        """Adds the posted identifiers, and the match keys that no other person owns."""
        identifiers = self.fields.get("identifiers", ())
        if self.keys.claimed:
            known = (*person.get("identifiers", ()), *person.get(CLAIMED_IDENTIFIERS, ()))
            added = [each for each in identifiers if each not in known]
            if len(person.get(CLAIMED_IDENTIFIERS, ())) + len(added) > MAX_ANONYMOUS_STORED_ENTRIES:
                return
            _extend(person, CLAIMED_IDENTIFIERS, added)
        else:
            own = self.rules.own_identifier(person["_id"])  # responses contain it, so clients send it back
            others = (each for each in identifiers if each != own and id_key(each) not in elsewhere)
            _extend(person, "identifiers", others)
        claims = (*self.keys.identifiers, *contacts, *self._shared_phones(contacts, elsewhere), *self.keys.claimed)
        _extend(person, "match_keys", (key for key in claims if key not in elsewhere))

    def _shared_phones(self, contacts: Sequence[str], elsewhere: Collection[str]) -> Iterator[str]:
        """Yields the keys of phone and name for the claimed phone numbers that another person owns.

        By these keys the next post about this person finds them, not the owner of the number.
        """
        for phone in self.keys.phones:
            if phone in contacts and phone in elsewhere and (key := phone_and_name_key(phone, self.keys.name)):
                yield key

    def _contact_claims(self, *, is_new: bool) -> Sequence[str]:
        """Returns the keys of contact details that the person may claim by this post.

        A post without a token gives a new person one key: an e-mail address, or else a phone number. It gives a known
        person none. The details are stored all the same. As keys they could make the next outreach, or the next import,
        of another person match this one: a sender knows the two details of one person, or one of two people.
        """
        if self.has_token:
            return self.keys.contacts
        return self.keys.contacts[:1] if is_new else ()


def _extend(person: Document, array: str, values: Iterable[Any]) -> None:
    present = person.get(array, [])
    added = [value for value in values if value not in present]
    if added:
        person[array] = [*present, *added]
