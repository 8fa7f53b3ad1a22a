"""The screens about people: the list with its search, the page of a person, and the acts on people."""

from blueprints.staff.people import duplicates, edit, entries, merging, people, privacy

__all__ = ["duplicates", "edit", "entries", "merging", "people", "privacy"]
