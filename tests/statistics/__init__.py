"""Tests of osdi/statistics/."""
