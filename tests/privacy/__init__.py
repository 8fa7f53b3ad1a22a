"""Tests of osdi/privacy/."""
