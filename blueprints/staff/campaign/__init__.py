"""The screens of one campaign: overview, editor, embedding, publishing, statistics, postal codes.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import create, editor, embedding, overview, postal_codes, publishing, script, statistics

__all__ = ["create", "editor", "embedding", "overview", "postal_codes", "publishing", "script", "statistics"]
