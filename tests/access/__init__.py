"""Tests of osdi/access/."""
