"""The screens of one campaign, from the overview to the list of its outreaches.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import (
    create,
    editor,
    embedding,
    outreaches,
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
    "outreaches",
    "overview",
    "postal_codes",
    "preview",
    "publishing",
    "script",
    "statistics",
]
