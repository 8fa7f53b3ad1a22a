"""Tests of osdi/exporting/."""
