"""The screens of one campaign, from the overview to the list of its outreaches.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import (
    copying,
    create,
    editor,
    embedding,
    outreaches,
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
    "outreaches",
    "overview",
    "postal_codes",
    "publishing",
    "script",
    "statistics",
]
