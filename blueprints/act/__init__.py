"""Public campaign pages: the page with its form, the form for frames, and the steps after it.

They need no script, set no cookie and load nothing from another server. Views call the functions of
osdi/campaign_pages and those that record an outreach for the API; no page calls the API over HTTP.

`blueprint.py` holds the blueprint. The other modules add their routes to it when they are imported here.
"""

from blueprints.act import acting, assets, campaign_list, confirm, pages
from blueprints.act.blueprint import act

__all__ = ["act", "acting", "assets", "campaign_list", "confirm", "pages"]
