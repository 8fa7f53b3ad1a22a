"""The screens about imports of uploaded files, and about exports."""

from blueprints.staff.transfers import columns, exports, imports, progress

__all__ = ["columns", "exports", "imports", "progress"]
