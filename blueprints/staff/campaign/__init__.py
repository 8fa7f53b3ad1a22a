"""The screens of one campaign: overview, editor, publishing, statistics, postal codes, and the list of outreaches.

A view reads the campaign by `found`, so a campaign that does not exist is a 404 everywhere.
"""

from blueprints.staff.campaign import create, editor, outreaches, overview, postal_codes, publishing, script, statistics

__all__ = ["create", "editor", "outreaches", "overview", "postal_codes", "publishing", "script", "statistics"]
