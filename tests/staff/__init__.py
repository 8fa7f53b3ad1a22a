"""Tests of the staff pages: sign-in, sessions, access, forged requests, and what the pages show."""
