"""The person of a post, and the document of the stored person after the post.

Pure: people are documents that the caller has read; they are not changed.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.action_functions.apply import apply_to_person
from osdi.action_functions.resolve import Actions
from osdi.documents import Document
from osdi.errors import invalid
from osdi.ids import new_id
from osdi.match_keys import MatchKeyRules, MatchKeys, id_key, name_and_postal_code_keys
from osdi.people.matching import Match
from osdi.people.merge_rules import keep_strictest_opt_out, merge_person
from osdi.settings import Settings

LINK: Final = "_links.osdi:person"


@dataclass(frozen=True)
class PostedPerson:
    """The person of a post: inline `fields`, a `link`, or both; and the action functions that the post requests.

    `trusted` is True if the identifiers count as given, False if they are only claimed. `by` is the id of the person
    whose token sends the post. `source` is that of the opt-outs in the post, see osdi.suppression.
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
    source: str = "api"

    @classmethod
    def of(cls, body: Mapping[str, Any], caller: Caller, actions: Actions, settings: Settings) -> "PostedPerson":
        """Returns the person of a helper's loaded body. Raises OsdiError 400 for a link without a token."""
        fields: Mapping[str, Any] = body.get("person", {})
        link: str | None = body.get("person_link", {}).get("person", {}).get("href")
        rules, trusted = settings.match_key_rules, caller.has_token or settings.trust_anonymous_identifiers
        if link is not None and not caller.has_token:
            raise invalid("Without a token the person is sent inline, not as a link.", LINK)
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
            source=caller.source,
        )

    def merged(self, match: Match, people: Sequence[Document], timestamp: dt.datetime) -> Document:
        """Returns the matched person's document, or a new one, with the post merged in.

        `people` own keys of the post. The keys of the person's name and the derived keys are left to the caller.
        """
        stored = match.person or self._new_document(timestamp)
        elsewhere = match.owned_elsewhere
        person = merge_person(
            stored,
            self.fields,
            overwrite=self.has_token or match.person is None,
            owned_elsewhere=elsewhere,
            rules=self.rules,
        )
        if self.imported:
            person = keep_strictest_opt_out(person, [*people, stored], self.rules)
        self._add_identity(person, self._contact_claims(is_new=match.person is None), elsewhere)
        return apply_to_person(person, self.actions, now=timestamp, new_id=new_id)

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
        }

    def _add_identity(self, person: Document, contacts: Sequence[str], elsewhere: Collection[str]) -> None:
        """Adds the posted identifiers, and the match keys that no other person owns."""
        identifiers = self.fields.get("identifiers", ())
        if self.keys.claimed:
            known = person.get("identifiers", ())
            _extend(person, "claimed_identifiers", (each for each in identifiers if each not in known))
        else:
            own = self.rules.own_identifier(person["_id"])  # responses contain it, so clients send it back
            others = (each for each in identifiers if each != own and id_key(each) not in elsewhere)
            _extend(person, "identifiers", others)
        claims = (*self.keys.identifiers, *contacts, *self.keys.claimed)
        _extend(person, "match_keys", (key for key in claims if key not in elsewhere))

    def _contact_claims(self, *, is_new: bool) -> Sequence[str]:
        """Returns the keys of contact details that the person may claim by this post.

        A post without a token gives a new person one e-mail address and one phone number as keys, and a known person
        none. The details are stored all the same. As keys they could make the next outreach, or the next import, of
        another person match this one.
        """
        if self.has_token:
            return self.keys.contacts
        return (*self.keys.emails[:1], *self.keys.phones[:1]) if is_new else ()


def _extend(person: Document, array: str, values: Iterable[str]) -> None:
    present = person.get(array, [])
    added = [value for value in values if value not in present]
    if added:
        person[array] = [*present, *added]
