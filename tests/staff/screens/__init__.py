"""Tests of each staff page in a real browser. The list of pages comes from the routes of the blueprint."""
