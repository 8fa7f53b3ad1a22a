"""Tests of osdi/webhooks/."""
