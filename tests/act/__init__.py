"""Tests of the public campaign pages over HTTP and in Chromium."""
