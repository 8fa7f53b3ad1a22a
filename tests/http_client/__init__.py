"""Tests of osdi/http_client/."""
