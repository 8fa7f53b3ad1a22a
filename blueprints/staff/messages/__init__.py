"""The staff pages about messages and follow-ups."""

from blueprints.staff.messages import editor, followups, preview

__all__ = ["editor", "followups", "preview"]
