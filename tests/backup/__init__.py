"""Tests of osdi/backup/."""
