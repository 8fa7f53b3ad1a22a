"""The screens of one campaign, from the editor to its statistics.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import (
    copying,
    create,
    editor,
    embedding,
    overview,
    postal_codes,
    publishing,
    script,
    statistics,
)

__all__ = [
    "copying",
    "create",
    "editor",
    "embedding",
    "overview",
    "postal_codes",
    "publishing",
    "script",
    "statistics",
]
