"""Tests of osdi.consent: receipts of consent, and double opt-in."""
