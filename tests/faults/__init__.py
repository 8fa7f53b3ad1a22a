"""Tests with failing databases and many clients at once, and of faults/."""
