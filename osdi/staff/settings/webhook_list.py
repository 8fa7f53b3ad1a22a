"""Webhooks as the settings pages list them: state, waiting and rejected events, and the last deliveries."""

from dataclasses import dataclass

from osdi.documents import Document
from osdi.fields.webhook import EVENTS
from osdi.store import Store
from osdi.webhooks import registry
from osdi.webhooks.event_store import all_webhooks, count_events, count_rejected


@dataclass(frozen=True)
class WebhookRow:
    """A stored webhook with the numbers of outreaches and people with waiting and with rejected events."""

    webhook: Document
    waiting: int
    rejected: int

    @property
    def name(self) -> str:
        """The description, else the address."""
        return str(self.webhook.get("description") or self.webhook["url"])

    @property
    def all_events(self) -> bool:
        return set(self.webhook["events"]) == set(EVENTS)

    @property
    def deliveries(self) -> list[Document]:
        """The last deliveries, the newest first."""
        found: list[Document] = self.webhook.get("deliveries", [])
        return found[::-1]


def webhook_list(store: Store) -> list[WebhookRow]:
    """Returns every webhook, the oldest first. Raises OsdiError 503."""
    return [_row(store, each) for each in all_webhooks(store)]


def webhook_row(store: Store, webhook_id: str) -> WebhookRow:
    """Returns one webhook. Raises OsdiError 404, 503."""
    return _row(store, registry.get_or_404(store, webhook_id))


def _row(store: Store, webhook: Document) -> WebhookRow:
    return WebhookRow(webhook, count_events(store, webhook["_id"]), count_rejected(store, webhook["_id"]))
