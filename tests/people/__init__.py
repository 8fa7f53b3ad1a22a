"""Tests of osdi/people/."""
