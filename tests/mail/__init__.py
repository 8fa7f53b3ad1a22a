"""Tests of osdi/mail/."""
