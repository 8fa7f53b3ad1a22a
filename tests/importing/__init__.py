"""Tests of osdi/importing/."""
