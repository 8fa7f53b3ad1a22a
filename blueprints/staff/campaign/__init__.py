"""The screens of one campaign, from the editor to its statistics.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import (
    create,
    editor,
    embedding,
    overview,
    postal_codes,
    preview,
    publishing,
    script,
    statistics,
)

__all__ = [
    "create",
    "editor",
    "embedding",
    "overview",
    "postal_codes",
    "preview",
    "publishing",
    "script",
    "statistics",
]
