"""Tests of osdi/followups/."""
