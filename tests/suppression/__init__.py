"""Tests of osdi.suppression."""
