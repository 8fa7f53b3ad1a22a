"""Tests of blueprints/http/: what applies to every request."""
