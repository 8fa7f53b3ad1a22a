"""Tests of osdi/messages/."""
