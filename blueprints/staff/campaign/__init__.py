"""The screens of one campaign: overview, editor, preview, publishing, copy, statistics, postal codes, outreaches.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import (
    create,
    editor,
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
    "outreaches",
    "overview",
    "postal_codes",
    "preview",
    "publishing",
    "script",
    "statistics",
]
