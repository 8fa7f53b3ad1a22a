"""Tests of osdi/operations/."""
