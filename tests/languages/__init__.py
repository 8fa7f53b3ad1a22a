"""Tests of the languages of pages and mails."""
