"""Tests of osdi/action_functions/."""
