"""The screens about people: the list with its search, the page of a person, and the actions on people."""

from blueprints.staff.people import answers, duplicates, edit, entries, merging, new, opt_outs, people, privacy

__all__ = ["answers", "duplicates", "edit", "entries", "merging", "new", "opt_outs", "people", "privacy"]
