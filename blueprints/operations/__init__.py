"""Routes beside OSDI: anonymous posts, downloads, duplicates, follow-ups, health, metrics, statistics, webhooks."""
