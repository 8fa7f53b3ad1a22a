"""Tests of osdi/crud/."""
