"""Represents documents as HAL+JSON (draft-kelly-json-hal) with OSDI's links, curies and page envelopes.

Pure: takes documents and properties of the deployment, returns dicts for JSON. Links are built from the resource
definitions, never from the URL of the request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from osdi.documents import Json, ReadOnlyDocument
from osdi.fields.outreach import NEW_PERSON, OWN_WORDS
from osdi.paging import Page
from osdi.resources import (
    ADVOCACY_CAMPAIGN,
    ANSWER,
    API,
    CURIES,
    CUSTOM_FIELDS,
    DELETED,
    DELETION,
    ENTRIES,
    ITEM,
    LIST,
    MESSAGE,
    OSDI_VERSION,
    OUTREACH,
    PAGES,
    PERSON,
    QUESTION,
    REFERENCES,
    TAG,
    TAGGING,
    WRAPPER,
    Resource,
)
from osdi.values.custom_field_names import as_sent

# The collections below a resource's URL.
NESTED: Final = {PERSON: (OUTREACH, TAGGING, ITEM, ANSWER), TAG: (TAGGING,), LIST: (ITEM,), QUESTION: (ANSWER,)}

CSV: Final = {"type": "text/csv"}
# Relations of the deployment's namespace (osdi.resources.OWN_RELATIONS), and their paths below a resource. None is the
# entry point.
OWN_LINKS: Final[Mapping[Resource | None, Mapping[str, str]]] = {
    None: {
        "followups": "followups",
        "webhooks": "webhooks",
        "deletions": "deletions",
        "duplicates": f"{PERSON.collection}/duplicates",
        "people_csv": f"{PERSON.collection}.csv",
        "outreaches_csv": f"{OUTREACH.collection}.csv",
    },
    PERSON: {"suppressions": "suppressions"},
    ADVOCACY_CAMPAIGN: {
        "stats": "stats",
        "page": "page",
        "postal_codes": "page/postal_codes",
        "triggers": "triggers",
        "anonymous_posts": "anonymous_posts",
        "outreaches_csv": f"{OUTREACH.collection}.csv",
    },
}

# The public properties of a follow-up. The recipient is left out: the outreach's person has the address.
FOLLOWUP: Final = (
    "kind",
    "state",
    "reason",
    "identifiers",
    "not_before",
    "attempts",
    "leases_lost",
    "queued_date",
    "sent_date",
)

# The public properties of a receipt of consent.
CONSENT: Final = (
    "text",
    "sha256",
    "language",
    "page_url",
    "channel",
    "list",
    "tag",
    "given_date",
    "confirmed_date",
)

# Stored fields with the claims of posts without a token, and with the reason why a post was not applied.
CLAIMED: Final = ("claimed_identifiers", "claimed_opt_outs", "not_applied")

# Properties that this server records of an outreach.
RECORDED: Final = (OWN_WORDS, NEW_PERSON)

MADE_BY: Final = {"osdi:creator": "creator_id", "osdi:modified_by": "modified_by_id"}


@dataclass(frozen=True)
class Hal:
    """Represents documents for one deployment, with its base URL and its namespace."""

    base_url: str
    namespace: str

    def href(self, *segments: str) -> str:
        """Returns the absolute URL of a path below the API's root."""
        return "/".join((self.base_url + API, *segments))

    def represent(
        self,
        resource: Resource,
        document: ReadOnlyDocument,
        *,
        control: ReadOnlyDocument | None = None,
        embedded: Json | None = None,
    ) -> Json:
        """Returns a resource with its links; only identifiers and links if `control` declines the full response.

        `embedded` contains the resources for `$expand`, by relation.
        """
        if resource is DELETION:
            return self._deletion(document)
        representation: Json = {"identifiers": self.identifiers(document)}
        if (control or {}).get("return_response", True):
            representation["created_date"] = document["created_date"]
            representation["modified_date"] = document["modified_date"]
            representation.update((name, document[name]) for name in resource.fields if name in document)
            if CUSTOM_FIELDS in representation:
                representation[CUSTOM_FIELDS] = as_sent(representation[CUSTOM_FIELDS])
            representation.update(self._own_properties(document))
            if resource is ADVOCACY_CAMPAIGN:
                representation.update(self._browser_url(document))
        representation["_links"] = self._links(resource, document)
        if embedded:
            representation["_embedded"] = embedded
        return representation

    def identifiers(self, document: ReadOnlyDocument) -> list[str]:
        """Returns the document's own identifier, then those of people merged into it, then those that were posted."""
        own = (f"{self.namespace}:{each}" for each in (document["_id"], *document.get("merged_ids", ())))
        return list(dict.fromkeys((*own, *document.get("identifiers", ()))))

    def collection(
        self,
        resource: Resource,
        page: Page,
        *path: str,
        arguments: Mapping[str, str] | None = None,
        embedded: Mapping[str, Json] | None = None,
    ) -> Json:
        """Returns a page of the collection at `path`.

        The links `next` and `previous` contain a cursor, so that late pages cost no more than early ones.
        """
        arguments = dict(arguments or {})
        address = self.href(*path)
        number = {"page": str(page.page)} if page.page > 1 else {}
        links: Json = {"self": {"href": _with_query(address, arguments | number)}}
        if page.has_next:
            # An empty page before the first one has no document for a cursor: the next page is the first one.
            cursor = {"page": str(page.page + 1), "after": page.cursor_at(-1)} if page.documents else {}
            links["next"] = {"href": _with_query(address, arguments | cursor)}
        if page.has_previous:
            cursor = {"page": str(page.page - 1), "before": page.cursor_at(0)} if page.documents else {}
            cursor = cursor or {"page": str(page.total_pages or 1)}
            links["previous"] = {"href": _with_query(address, arguments | cursor)}
        embedded = embedded or {}
        entries = [self.represent(resource, each, embedded=embedded.get(each["_id"])) for each in page.documents]
        links[resource.collection_rel] = [{"href": each["_links"]["self"]["href"]} for each in entries]
        links["curies"] = self._curies()
        return {
            "total_pages": page.total_pages,
            "per_page": page.per_page,
            "page": page.page,
            "total_records": page.total_records,
            "_links": links,
            "_embedded": {resource.collection_rel: entries},
        }

    def relation(self, resource: Resource) -> str:
        """Returns the relation of a resource: the standard's, or one of the deployment's namespace for a deletion."""
        return f"{self.namespace}:{resource.name}" if resource is DELETION else resource.rel

    def href_of(self, resource: Resource, document: ReadOnlyDocument) -> str:
        """Returns the absolute URL of a document; for the record of a deletion that of what was deleted."""
        if resource is DELETION:
            return self._deleted(document)
        return self._self(resource, document)

    def entry_point(self, *, motd: str, vendor_name: str, product_name: str, max_pagesize: int) -> Json:
        """Returns the API entry point (`aep.md`), which links to every collection."""
        links: Json = {
            "curies": self._curies(own=True),
            "self": {"href": self.href(), "title": "This API entry point"},
            "docs": {"href": f"{self.base_url}/docs", "title": "Documentation", "name": "Docs"},
        }
        for resource in (ADVOCACY_CAMPAIGN, OUTREACH, PERSON, TAG, LIST, QUESTION, MESSAGE, WRAPPER):
            title = f"The collection of {resource.collection.replace('_', ' ')} in the system"
            links[resource.collection_rel] = {"href": self.href(resource.collection), "title": title}
        links["osdi:person_signup_helper"] = {
            "href": self.href(PERSON.collection, "person_signup_helper"),
            "title": "The person signup helper for the system",
        }
        links |= self._own_links(None, self.href())
        return {
            "motd": motd or f"Welcome to {product_name}.",
            "vendor_name": vendor_name,
            "product_name": product_name,
            "osdi_version": OSDI_VERSION,
            "max_pagesize": max_pagesize,
            "namespace": self.namespace,
            "_links": links,
        }

    def _deletion(self, record: ReadOnlyDocument) -> Json:
        """Returns the record of a deletion: ids and links of what was deleted, and nothing else about it."""
        deleted = DELETED[record["event"]]
        links: Json = {deleted.rel: {"href": self._deleted(record)}}
        if "advocacy_campaign_id" in record:
            campaign_id = record["advocacy_campaign_id"]
            links[ADVOCACY_CAMPAIGN.rel] = {"href": self.href(ADVOCACY_CAMPAIGN.collection, campaign_id)}
        if "survivor_id" in record:
            survivor = {"href": self.href(PERSON.collection, record["survivor_id"])}
            links[f"{self.namespace}:survivor"] = survivor
        return {
            "identifiers": [f"{self.namespace}:{each}" for each in record["ids"]],
            "event": record["event"],
            "deleted_date": record["deleted_date"],
            "_links": {**links, "curies": self._curies(own="survivor_id" in record)},
        }

    def _deleted(self, record: ReadOnlyDocument) -> str:
        """Returns the absolute URL that the deleted document was at."""
        return self._self(DELETED[record["event"]], {**record, "_id": record["ids"][0]})

    def page_address(self, campaign: ReadOnlyDocument) -> str | None:
        """Returns the absolute URL of a campaign's public page, or None while it is not published."""
        settings = campaign.get("page", {})
        slug = settings.get("slug")
        return f"{self.base_url}{PAGES}/{slug}" if settings.get("published") and slug else None

    def page_links(self, campaign: ReadOnlyDocument) -> Json:
        """Returns the links of a campaign's page settings."""
        address = self.href(ADVOCACY_CAMPAIGN.collection, campaign["_id"])
        links: Json = {"self": {"href": f"{address}/page"}, ADVOCACY_CAMPAIGN.rel: {"href": address}}
        return {**links, **self._alternate(campaign), "curies": self._curies()}

    def stats_links(self, campaign_id: str, arguments: Mapping[str, str]) -> Json:
        """Returns the links of a campaign's statistics; `arguments` is the query of the request."""
        address = self.href(ADVOCACY_CAMPAIGN.collection, campaign_id)
        return {
            "self": {"href": _with_query(f"{address}/stats", arguments)},
            ADVOCACY_CAMPAIGN.rel: {"href": address},
            "curies": self._curies(),
        }

    def _alternate(self, campaign: ReadOnlyDocument) -> Json:
        """Returns the link to the public page of a campaign (relation of RFC 8288's registry), if it is published."""
        address = self.page_address(campaign)
        return {"alternate": {"href": address, "type": "text/html"}} if address else {}

    def _browser_url(self, campaign: ReadOnlyDocument) -> Json:
        """Returns `browser_url` with the address of the public page, if the campaign has no address of its own.

        An address below PAGES is not one: a client has sent back a representation from before the slug was changed.
        """
        address, stored = self.page_address(campaign), campaign.get("browser_url", "")
        is_own = not stored or stored.startswith(f"{self.base_url}{PAGES}/")
        return {"browser_url": address} if address and is_own else {}

    def _own_properties(self, document: ReadOnlyDocument) -> Json:
        """Returns the properties that this server adds to the standard's, under its namespace."""
        added: Json = {f"{self.namespace}:{name}": document[name] for name in CLAIMED if document.get(name)}
        added |= {f"{self.namespace}:{name}": document[name] for name in RECORDED if name in document}
        if document.get("warnings"):
            added[f"{self.namespace}:warnings"] = [_sentence(each) for each in document["warnings"]]
        if document.get("followups"):
            added[f"{self.namespace}:followups"] = [
                {"id": followup["_id"], **{name: followup[name] for name in FOLLOWUP if name in followup}}
                for followup in document["followups"]
            ]
        if document.get("consents"):
            added[f"{self.namespace}:consents"] = [
                {name: consent[name] for name in CONSENT if name in consent} for consent in document["consents"]
            ]
        return added

    def _links(self, resource: Resource, document: ReadOnlyDocument) -> Json:
        links: Json = {"self": {"href": self._self(resource, document)}}
        if resource is OUTREACH:
            campaign_id = document["advocacy_campaign_id"]
            links[ADVOCACY_CAMPAIGN.rel] = {"href": self.href(ADVOCACY_CAMPAIGN.collection, campaign_id)}
            if document.get("person_id"):
                links[PERSON.rel] = {"href": self.href(PERSON.collection, document["person_id"])}
        elif resource is ADVOCACY_CAMPAIGN:
            address = self._self(resource, document)
            links[OUTREACH.collection_rel] = {"href": f"{address}/{OUTREACH.collection}"}
            links["osdi:record_outreach_helper"] = {"href": f"{address}/record_outreach_helper"}
            links.update(self._alternate(document))
        elif resource in ENTRIES:
            parent, field = ENTRIES[resource]
            links[parent.rel] = {"href": self.href(parent.collection, document[field])}
            links[PERSON.rel] = {"href": self.href(PERSON.collection, document["person_id"])}
        else:
            address = self._self(resource, document)
            for nested in NESTED.get(resource, ()):
                links[nested.collection_rel] = {"href": f"{address}/{nested.collection}"}
        for field, target in REFERENCES.get(resource, {}).items():
            if field in document:
                links[target.rel] = {"href": self.href(target.collection, document[field])}
        for relation, field in MADE_BY.items():
            if field in document:
                links[relation] = {"href": self.href(PERSON.collection, document[field])}
        if resource in OWN_LINKS:
            links.update(self._own_links(resource, self._self(resource, document)))
        links["curies"] = self._curies(own=resource in OWN_LINKS)
        return links

    def _own_links(self, resource: Resource | None, address: str) -> Json:
        """Returns the links of OWN_LINKS for the resource at this address; None means the entry point."""
        return {
            f"{self.namespace}:{relation}": {"href": f"{address}/{path}", **(CSV if path.endswith(".csv") else {})}
            for relation, path in OWN_LINKS[resource].items()
        }

    def _self(self, resource: Resource, document: ReadOnlyDocument) -> str:
        if resource is OUTREACH:
            campaign_id = document["advocacy_campaign_id"]
            return self.href(ADVOCACY_CAMPAIGN.collection, campaign_id, OUTREACH.collection, document["_id"])
        if resource in ENTRIES:
            parent, field = ENTRIES[resource]
            return self.href(parent.collection, document[field], resource.collection, document["_id"])
        return self.href(resource.collection, document["_id"])

    def _curies(self, *, own: bool = False) -> list[Json]:
        """Returns the standard's curie; with `own` also that of the deployment's namespace."""
        names = ["osdi", self.namespace] if own and self.namespace != "osdi" else ["osdi"]
        return [{"name": name, "href": self.base_url + CURIES, "templated": True} for name in names]


def _sentence(warning: ReadOnlyDocument) -> str:
    return f"{warning['property']}: {warning['reason']}" if warning["property"] else str(warning["reason"])


def _with_query(address: str, arguments: Mapping[str, str]) -> str:
    return f"{address}?{urlencode(arguments)}" if arguments else address
