"""Tests of osdi/odata/."""
