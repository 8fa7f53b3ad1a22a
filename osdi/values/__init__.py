"""Reads values in the spellings that people, spreadsheets and other programs use. Pure.

Imports: nothing of osdi.
"""
