"""Converts an OSDI document from another server or an export to the body of a POST.

Removes what is valid only on the server that the document came from. Pure.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE, REJECTED_LINE, REJECTED_REASON
from osdi.values.identifiers import has_id
from osdi.values.words import status

CAMPAIGN_LINK, PERSON_LINK = "osdi:advocacy_campaign", "osdi:person"


@dataclass(frozen=True)
class Found:
    """The body, the id of the linked campaign, and the namespace of the ids in its links."""

    body: dict[str, Any]
    campaign: str | None = None
    namespace: str | None = None


def document_of(document: Any, kind: str, line: bytes = b"") -> Found:
    """Returns the body to post for a document; `line` is its JSON.

    An embedded person becomes the inline person. A resource other than a person that has no identifier gets one, made
    of its address or its JSON, so that a repeated import recognises it. Raises ValueError, whose text is for the user.
    """
    if not isinstance(document, Mapping):
        raise ValueError("Not a JSON object.")
    body = {
        name: value for name, value in document.items() if name not in (REJECTED_LINE, REJECTED_REASON, "_embedded")
    }
    links = body.get("_links")
    links = links if isinstance(links, Mapping) else {}
    namespace = _namespace(body, links)
    if kind == PEOPLE:
        if CAMPAIGN_LINK in links:
            raise ValueError("An outreach, not a person. Import it with `import outreaches`.")
        body.pop("_links", None)
        return Found(_with_readable_statuses(body), None, namespace)
    if not has_id(body.get("identifiers", [])):
        address = links["self"]["href"] if last_segment(links.get("self")) else None
        of_document = f"import:{hashlib.sha256(address.encode() if address else line).hexdigest()[:32]}"
        body["identifiers"] = [*(body.get("identifiers") or ()), of_document]
    if kind != OUTREACHES:
        body.pop("_links", None)
        return Found(body, None, namespace)
    embedded = document.get("_embedded")
    person = embedded.get(PERSON_LINK) if isinstance(embedded, Mapping) else None
    if isinstance(person, Mapping) and "person" not in body:
        body["person"] = {name: value for name, value in person.items() if not name.startswith("_")}
    if isinstance(body.get("person"), Mapping):
        body["person"] = _with_readable_statuses(body["person"])
    return Found(body, last_segment(links.get(CAMPAIGN_LINK)), namespace)


def last_segment(link: Any) -> str | None:
    """Returns the last part of a link's address, or None."""
    href = link.get("href") if isinstance(link, Mapping) else None
    if not isinstance(href, str):
        return None
    return href.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2] or None


def _with_readable_statuses(person: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the person; a phone number whose `status` is an unknown word gets `sms_capable: false` instead.

    The schemas read the other statuses (schemas.base.common.PHONE_STATUSES).
    """
    numbers = person.get("phone_numbers")
    if not isinstance(numbers, list):
        return dict(person)
    return {**person, "phone_numbers": [_readable(entry) for entry in numbers]}


def _readable(entry: Any) -> Any:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("status"), str) or not entry["status"].strip():
        return entry
    try:
        status(entry["status"])
    except ValueError:
        kept = {name: value for name, value in entry.items() if name != "status"}
        return {**kept, "sms_capable": False}
    return entry


def _namespace(body: Mapping[str, Any], links: Mapping[str, Any]) -> str | None:
    """Returns the namespace of the ids in the links, or None.

    It is the system of the identifier whose id is the last part of the document's own address.
    """
    own = last_segment(links.get("self"))
    identifiers = body.get("identifiers")
    for identifier in identifiers if own and isinstance(identifiers, list) else ():
        if isinstance(identifier, str):
            system, _, its_id = identifier.partition(":")
            if its_id == own:
                return system
    return None
