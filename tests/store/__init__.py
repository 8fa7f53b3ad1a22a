"""Tests of osdi/store/."""
