"""Tests of the domain of public campaign pages."""
