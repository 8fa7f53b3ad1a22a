"""Compares a request with the outreach that has its identifier: a retry, another person, or other content."""

from osdi.documents import Document
from osdi.errors import ErrorDescription, conflict
from osdi.outreaches.helper_request import HelperRequest
from osdi.people.lookup import get_person
from osdi.people.matching import match
from osdi.people.posted_person import PostedPerson
from osdi.resources import OUTREACH, PERSON, id_from
from osdi.store import Store
from osdi.values.names import compared_name, names_differ


def warnings_about(
    store: Store, outreach: Document, request: HelperRequest, posted: PostedPerson
) -> tuple[ErrorDescription, ...]:
    """Returns a warning if the request has content that the outreach lacks, which was not stored.

    Raises OsdiError 409 if a trusted identifier comes with another person: a retry has the same one.
    """
    if request.sent and outreach.get("fingerprint") == request.fingerprint:
        return ()
    if posted.trusted and not _is_of(store, outreach, posted):
        message = "This identifier belongs to an outreach of another person."
        raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=OUTREACH.rel)
    body = request.body
    differing = [name for name in OUTREACH.fields if name in body and body[name] != outreach.get(name)]
    if differing:
        names = ", ".join(differing)
        return (_recorded_before(f"so these were not stored: {names}. Change it by PUT."),)
    if request.sent and "fingerprint" in outreach:
        return (_recorded_before("so nothing of this request was stored."),)
    return ()


def _recorded_before(consequence: str) -> ErrorDescription:
    return ErrorDescription("RECORDED_BEFORE", f"The outreach was recorded before, {consequence}", ("identifiers",))


def _is_of(store: Store, outreach: Document, posted: PostedPerson) -> bool:
    """True if the outreach's person can be the posted one, also if the stored person has changed since.

    An outreach whose person was deleted can be of anybody.
    """
    person = get_person(store, outreach.get("person_id") or "")
    if person is None:
        return True
    if posted.link is not None:
        return id_from(posted.link, PERSON) in (person["_id"], *person.get("merged_ids", ()))
    keys = posted.keys
    found = match(keys, store.by_match_keys(PERSON.collection, keys.all), reject_clash=False).person
    if found is not None and found["_id"] == person["_id"]:
        return True
    known = person.get("contact_keys", ())
    if any(key in known for key in keys.emails):
        return True
    if any(key in known for key in keys.phones):
        return not keys.contradict(person)
    return not keys.all and not names_differ(keys.name, compared_name(person))
