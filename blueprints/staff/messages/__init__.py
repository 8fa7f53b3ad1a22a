"""The staff pages about messages and follow-ups."""

from blueprints.staff.messages import followups

__all__ = ["followups"]
