"""Model of docs/matching.md: which person a post matches, what it changes, and which post is a retry.

It follows that page and the design, and imports nothing of the application, so that it does not repeat errors of the
application. It uses the ids that the application assigned to people and outreaches.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = Mapping[str, Any]

SINGLE_VALUES = ("given_name", "family_name", "source")
CONTACTS = {"email_addresses": "address", "phone_numbers": "number"}
NO_MAIL = ("unsubscribed", "bouncing", "spam complaints")
# The strictest status last.
STRICTNESS = ("", "bouncing", "unsubscribed", "spam complaints")
MIN_DIGITS = 7
COUNTRY_CODES = {"US": "1", "DE": "49"}
PUNYCODE = {"xn--mnchen-3ya.example": "münchen.example"}


class Rejected(Exception):
    """The request has to get this status, and nothing written."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Request:
    """A post to the Record Outreach Helper."""

    campaign: str
    body: Body
    by_token: bool
    idempotency_key: str | None = None
    link: str | None = None

    @property
    def posted(self) -> Body:
        return self.body.get("person", {})

    @property
    def digest(self) -> str:
        return self.campaign + json.dumps(self.body)

    @property
    def sender(self) -> object:
        """The sender that a retry must have: without a token, the same contact details on the same campaign."""
        if self.by_token:
            return "token"
        keys = frozenset(key for array in CONTACTS for key in match_keys(self.posted, array))
        return (self.campaign, keys) if keys else self.digest


@dataclass
class Person:
    """Somebody as they should be stored; `keys` are the match keys that are theirs."""

    values: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {array: [] for array in CONTACTS})
    identifiers: list[str] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    # The keys of the contact details that a token holder has posted, and of the statuses that only strangers have.
    confirmed: set[str] = field(default_factory=set)
    unconfirmed: set[str] = field(default_factory=set)


@dataclass
class Outreach:
    """An outreach as it should be stored, and the retries that it is the response to."""

    campaign: str
    person: str | None
    identifiers: set[str] = field(default_factory=set)
    claims: set[tuple[object, str]] = field(default_factory=set)
    idempotency: tuple[object, str] | None = None
    digest: str = ""
    duration: int | None = None


def contact_key(array: str, entry: Body) -> str | None:
    """Returns the key that compares e-mail or phone entries: letters in lower case, digits with country code."""
    value = entry.get(CONTACTS[array])
    if value is None:
        return None
    if array == "email_addresses":
        local, domain = value.lower().split("@")
        return f"email:{local}@{PUNYCODE.get(domain, domain)}"
    digits = "".join(character for character in value if character.isdigit())
    code = COUNTRY_CODES.get(entry.get("country", ""))
    if code and not value.startswith("+") and not digits.startswith(code):
        digits = code + digits.removeprefix("0")
    return f"phone:{digits}"


def is_match_key(key: str | None) -> bool:
    """True if the key can match a person: short numbers match nobody."""
    return key is not None and (not key.startswith("phone:") or len(key) >= len("phone:") + MIN_DIGITS)


def match_keys(person: Body, array: str) -> list[str]:
    """The match keys of a posted person's e-mails or phones, the primary one first."""
    entries = sorted(person.get(array) or (), key=lambda entry: not entry.get("primary"))
    return [key for key in (contact_key(array, entry) for entry in entries) if key and is_match_key(key)]


def name_of(values: Body) -> tuple[str, str]:
    """The name that distinguishes people with one phone number."""
    return (values.get("given_name") or "").lower(), (values.get("family_name") or "").lower()


def differ(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """True if a part of the name that both have is not equal, unless the whole names are."""
    return "".join(one) != "".join(other) and any(a and b and a != b for a, b in zip(one, other, strict=True))


def shared_phone_key(phone: str, name: tuple[str, str]) -> list[str]:
    """The key of a person whose phone number is another person's: number and name; none without a name."""
    return [f"phone_and_name:{phone.removeprefix('phone:')}|{''.join(name)}"] if any(name) else []


class Model:
    """The people, outreaches, tags and lists that should be there."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.outreaches: dict[str, Outreach] = {}
        self.tags: dict[str, str] = {}  # name to id
        self.lists: dict[str, str] = {}
        self.suppressed: dict[str, str] = {}  # key of an address to the strictest status that a token has stated

    def owner(self, key: str) -> str | None:
        """Whose match key it is."""
        return next((id_ for id_, person in self.people.items() if key in person.keys), None)

    def matching_person(self, posted: Body, *, by_token: bool, link: str | None = None) -> str | None:
        """Returns the id of the matching person, or None for a new one. Raises Rejected."""
        identifiers = [f"id:{each}" for each in posted.get("identifiers") or ()] if by_token else []
        owners = {owner for owner in map(self.owner, identifiers) if owner}
        if link is not None and link not in self.people:
            raise Rejected(400)
        if len(owners | ({link} if link else set())) > 1 and owners:
            raise Rejected(409)
        return link or next(iter(owners), None) or self._by_contact(posted, by_token=by_token)

    def _by_contact(self, posted: Body, *, by_token: bool) -> str | None:
        emails, phones = (match_keys(posted, array) for array in CONTACTS)
        for key in emails:
            if owner := self.owner(key):
                return owner
        name = name_of(posted)
        for key in (*(shared for phone in phones for shared in shared_phone_key(phone, name)), *phones):
            owner = self.owner(key)
            has_own_email = owner and emails and self.people[owner].contacts["email_addresses"]
            if owner and not has_own_email and not self._are_two(posted, owner):
                return owner
        if not by_token and not emails and not phones:  # a retry of somebody who gave no contact detail
            for identifier in posted.get("identifiers") or ():
                owner = self.owner(f"claimed:{identifier}")
                if owner and not any(self.people[owner].contacts.values()):
                    return owner
        return None

    def _are_two(self, posted: Body, id_: str) -> bool:
        """True if a posted person is not this one, although they share a phone: other names, or ids of one system."""
        person = self.people[id_]
        ours = {each.removeprefix("id:") for each in person.keys if each.startswith("id:")}
        theirs = set(posted.get("identifiers") or ())  # all of one system
        return differ(name_of(posted), name_of(person.values)) or bool(ours and theirs and not ours & theirs)

    def _is_of(self, outreach: Outreach, request: Request) -> bool:
        """True if an outreach with the identifier of a request with a token can be a retry of it."""
        posted, id_ = request.posted, outreach.person
        if outreach.digest == request.digest or id_ not in self.people:
            return True
        if request.link:
            return request.link == id_
        owners = [self.owner(f"id:{each}") for each in posted.get("identifiers") or ()]
        matched = next((owner for owner in owners if owner), None) or self._by_contact(posted, by_token=True)
        emails, phones = (match_keys(posted, array) for array in CONTACTS)
        known = {each["key"] for entries in self.people[id_].contacts.values() for each in entries}
        if matched == id_ or known.intersection(emails):
            return True
        if known.intersection(phones):
            return not self._are_two(posted, id_)
        no_keys = not owners and not emails and not phones
        return no_keys and not differ(name_of(posted), name_of(self.people[id_].values))

    def sign_up(self, id_: str, body: Body, *, by_token: bool) -> None:
        """Updates the person with this id by a post, or creates them."""
        posted = body.get("person", {})
        is_new = id_ not in self.people
        before = {} if is_new else self.statuses(id_)
        person = self.people.setdefault(id_, Person())
        for name in SINGLE_VALUES:
            if posted.get(name) and (by_token or name not in person.values):
                person.values[name] = posted[name]
        keys = [key for array in CONTACTS for key in match_keys(posted, array)]
        for array in CONTACTS:
            entries = posted.get(array) or ()
            if not by_token and not is_new:
                entries = [without_opt_out(entry) for entry in entries]
            self._merge_contacts(id_, array, entries, overwrite=by_token or is_new, by_token=by_token)
        claimed = keys if by_token else keys[:1] if is_new else []
        elsewhere = [key for key in claimed if key.startswith("phone:") and self.owner(key) not in (None, id_)]
        self._claim(id_, [each for key in elsewhere for each in shared_phone_key(key, name_of(posted))])
        self._claim(id_, claimed)
        if by_token:
            person.confirmed |= person.keys.intersection(keys)
        stated = self._suppress(id_, before, posted.get("email_addresses") or ()) if by_token else set()
        self._obey(id_, stated | (self.statuses(id_).keys() - before.keys()))
        identifiers = posted.get("identifiers") or ()
        known = person.identifiers if by_token else person.claimed
        known += [each for each in identifiers if each not in (*known, *person.identifiers)]
        self._claim(id_, (f"{'id' if by_token else 'claimed'}:{each}" for each in identifiers))
        person.tags |= {self.tags[name] for name in body.get("add_tags", ()) if name in self.tags}
        person.lists |= {self.lists[name] for name in body.get("add_lists", ()) if name in self.lists}

    def statuses(self, id_: str) -> dict[str, str | None]:
        """Returns the status of each address of a person."""
        return {each["key"]: each.get("status") for each in self.people[id_].contacts["email_addresses"]}

    def _suppress(self, id_: str, before: dict[str, str | None], posted: Iterable[Body]) -> set[str]:
        """Adds the statuses of a post with a token to the suppression list; returns their keys."""
        stated = [(key, status) for key, status in self.statuses(id_).items() if before.get(key) != status]
        stated += [(contact_key("email_addresses", each) or "", each.get("status")) for each in posted]
        opted_out = [(key, status) for key, status in stated if key and status in NO_MAIL]
        for key, status in opted_out:
            self.suppressed[key] = max(self.suppressed.get(key, ""), status, key=STRICTNESS.index)
        return {key for key, _ in opted_out}

    def _obey(self, id_: str, keys: Iterable[str]) -> None:
        """Gives addresses the stricter one of their status and that of the suppression list."""
        for entry in self.people[id_].contacts["email_addresses"]:
            listed = self.suppressed.get(entry["key"]) if entry["key"] in keys else None
            status = entry.get("status", "")
            if listed and STRICTNESS.index(listed) > STRICTNESS.index(status if status in STRICTNESS else ""):
                entry["status"] = listed

    def _claim(self, id_: str, keys: Iterable[str]) -> None:
        self.people[id_].keys |= {key for key in keys if self.owner(key) in (None, id_)}

    def _merge_contacts(
        self,
        id_: str,
        array: str,
        posted: Iterable[Body],
        *,
        overwrite: bool,
        is_put: bool = False,
        by_token: bool = True,
    ) -> None:
        entries = self.people[id_].contacts[array]
        unconfirmed = self.people[id_].unconfirmed
        for entry in posted:
            key = contact_key(array, entry)
            if key is None:
                if overwrite and entries:
                    same = primary_of(entries)
                    lifted = not is_put and same["key"] not in unconfirmed and lifts_opt_out(same, entry)
                    same.update({} if lifted else entry)
                    if "status" in entry and by_token:
                        unconfirmed.discard(same["key"])
                continue
            if not overwrite and self.owner(key) not in (None, id_):
                continue
            same = next((each for each in entries if each["key"] == key), None)
            if same is None:
                entries.append(same := {"key": key})
            for name in ("status",):
                lifted = not is_put and key not in unconfirmed and lifts_opt_out(same, entry)
                if name in entry and (overwrite or name not in same) and not lifted:
                    if not by_token:
                        unconfirmed.add(key)
                    same[name] = entry[name]
                if name in entry and by_token:
                    unconfirmed.discard(key)
            if entry.get("primary") and (overwrite or not any(each.get("primary") for each in entries)):
                for each in entries:
                    each.pop("primary", None)
                same["primary"] = True

    def put_person(self, id_: str, body: Body) -> None:
        """Applies a PUT: the sent arrays are replaced, and null removes a field. Raises Rejected."""
        person = self.people[id_]
        former = set(person.keys)
        if "identifiers" in body:
            identifiers = list(body["identifiers"] or ())
            if any(self.owner(f"id:{each}") not in (None, id_) for each in identifiers):
                raise Rejected(409)
            person.identifiers = identifiers
            person.keys = {key for key in person.keys if not key.startswith("id:")}
            person.keys |= {f"id:{each}" for each in identifiers}
        for name in SINGLE_VALUES:
            if name in body:
                person.values.pop(name, None)
                if body[name]:
                    person.values[name] = body[name]
        before = self.statuses(id_)
        for array, value in CONTACTS.items():
            if array in body:
                self._put_contacts(id_, array, body[array] or (), value)
        self._put_shared_phones(id_, former, match_keys(body, "phone_numbers"))
        if any(body.get(array) for array in CONTACTS):
            posted = body.get("email_addresses") or ()
            stated = self._suppress(id_, before, posted)
            for key in {self._key_of(id_, each) for each in posted if each.get("status") == "subscribed"} - stated:
                self.suppressed.pop(key, None)
            self._obey(id_, self.statuses(id_).keys() - stated)

    def _key_of(self, id_: str, entry: Body) -> str:
        entries = self.people[id_].contacts["email_addresses"]
        return contact_key("email_addresses", entry) or (primary_of(entries)["key"] if entries else "")

    def _put_shared_phones(self, id_: str, former: set[str], posted: list[str]) -> None:
        """Claims the keys of number and name for the posted numbers of other people; drops those of other numbers."""
        person = self.people[id_]
        person.keys = {key for key in person.keys if not key.startswith("phone_and_name:")}
        for phone in [each["key"] for each in person.contacts["phone_numbers"] if is_match_key(each["key"])]:
            for key in shared_phone_key(phone, name_of(person.values)) if phone not in person.keys else ():
                if key in former or (phone in posted and self.owner(key) in (None, id_)):
                    person.keys.add(key)

    def _put_contacts(self, id_: str, array: str, posted: Iterable[Body], value: str) -> None:
        person, kind = self.people[id_], "email:" if value == "address" else "phone:"
        named = [entry for entry in posted if value in entry]
        if named or not posted:
            former = {each["key"]: each["status"] for each in person.contacts[array] if each.get("status") in NO_MAIL}
            person.contacts[array] = []
            self._merge_contacts(id_, array, named, overwrite=True)
            for entry in person.contacts[array]:
                if "status" not in entry and entry["key"] in former:
                    entry["status"] = former[entry["key"]]
        rest = [entry for entry in posted if value not in entry]
        self._merge_contacts(id_, array, rest, overwrite=True, is_put=True)
        keys = [each["key"] for each in person.contacts[array] if is_match_key(each["key"])]
        person.keys = {key for key in person.keys if not key.startswith(kind) or key in keys}
        confirmed = [contact_key(array, entry) for entry in named]  # what a stranger added stays unclaimed until then
        self._claim(id_, [key for key in keys if key in confirmed])
        person.confirmed = {key for key in (*person.confirmed, *confirmed) if key in person.keys}
        stated = {each["key"] for each in person.contacts[array] if "status" in each}
        person.unconfirmed = {key for key in person.unconfirmed if not key.startswith(kind) or key in stated}

    def delete_person(self, id_: str) -> None:
        """Their outreaches stay, without the person."""
        del self.people[id_]
        for outreach in self.outreaches.values():
            if outreach.person == id_:
                outreach.person = None

    def known(self, request: Request) -> str | None:
        """The outreach that this request recorded before. Raises Rejected."""
        key = (request.sender, request.idempotency_key) if request.idempotency_key else None
        for id_, outreach in self.outreaches.items():
            if key and outreach.idempotency == key:
                if outreach.digest != request.digest:
                    raise Rejected(422)
                return id_
        identifiers = request.body.get("identifiers", ())
        if request.by_token:
            found = [id_ for id_, each in self.outreaches.items() if each.identifiers.intersection(identifiers)]
            if len(found) > 1 or any(self.outreaches[id_].campaign != request.campaign for id_ in found):
                raise Rejected(409)
            if any(not self._is_of(self.outreaches[id_], request) for id_ in found):
                raise Rejected(409)
        else:
            claims = {(request.sender, each) for each in identifiers}
            found = [id_ for id_, each in self.outreaches.items() if each.claims & claims]
        return next(iter(found), None)

    def record(self, request: Request, outreach_id: str, person_id: str) -> None:
        """Records a request that is no retry."""
        self.sign_up(person_id, request.body, by_token=request.by_token)
        outreach = Outreach(request.campaign, person_id, duration=request.body.get("duration"))
        identifiers = request.body.get("identifiers", ())
        if request.by_token:
            outreach.identifiers = set(identifiers)
        else:
            outreach.claims = {(request.sender, each) for each in identifiers}
        if request.idempotency_key:
            outreach.idempotency = (request.sender, request.idempotency_key)
        outreach.digest = request.digest
        self.outreaches[outreach_id] = outreach

    def put_outreach(self, id_: str, body: Body) -> None:
        """Identifiers are replaced, and are one outreach's. Raises Rejected."""
        identifiers = set(body.get("identifiers", ()))
        if any(identifiers & each.identifiers for other, each in self.outreaches.items() if other != id_):
            raise Rejected(409)
        if "identifiers" in body:
            self.outreaches[id_].identifiers = identifiers
        self.outreaches[id_].duration = body.get("duration", self.outreaches[id_].duration)


def lifts_opt_out(stored: Body, posted: Body) -> bool:
    """True if a post would subscribe an address again; only a PUT may do that."""
    return stored.get("status") in NO_MAIL and posted.get("status") == "subscribed"


def without_opt_out(entry: Body) -> Body:
    """Returns the entry without a status that a post without a token cannot give a known person."""
    return {name: entry[name] for name in entry if name != "status" or entry[name] == "subscribed"}


def primary_of(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry that a status without an address is about."""
    return next((each for each in entries if each.get("primary")), entries[0])
