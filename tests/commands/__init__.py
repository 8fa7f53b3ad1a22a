"""Tests of osdi/commands/."""
