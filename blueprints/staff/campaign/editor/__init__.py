"""The editor of a campaign, and its preview.

`typed` turns a stored campaign into controls and a form into bodies of the API, `mail_controls` does so for the
campaign's mail, and `draft` checks them. `edit` stores the draft, and `preview` shows it.
"""

from blueprints.staff.campaign.editor import edit, preview

__all__ = ["edit", "preview"]
