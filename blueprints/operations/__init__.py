"""Routes beside OSDI: anonymous posts, deletions, downloads, duplicates, follow-ups, health, metrics, webhooks, ..."""
