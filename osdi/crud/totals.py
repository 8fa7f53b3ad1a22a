"""What is counted when a document is read: a campaign's outreaches, the people on a list."""

from collections.abc import Mapping
from typing import Any

from osdi.documents import Document
from osdi.resources import ADVOCACY_CAMPAIGN, ITEM, LIST, Resource
from osdi.store import Store


def with_total(store: Store, resource: Resource, document: Mapping[str, Any]) -> Document:
    """The document with what is counted of it. Raises OsdiError 503."""
    if resource is ADVOCACY_CAMPAIGN:
        return {**document, "total_outreaches": store.total_outreaches(document)}
    if resource is LIST:
        return {**document, "total_items": store.count_pointing(ITEM.collection, "list_id", document["_id"])}
    return dict(document)
