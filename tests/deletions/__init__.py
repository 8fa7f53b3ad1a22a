"""Tests of osdi/deletions."""
