"""The screens of one campaign: overview, editor with preview, publishing, copying, statistics, postal codes.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import (
    copying,
    create,
    editor,
    overview,
    postal_codes,
    preview,
    publishing,
    script,
    statistics,
)

__all__ = ["copying", "create", "editor", "overview", "postal_codes", "preview", "publishing", "script", "statistics"]
