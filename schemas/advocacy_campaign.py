"""An advocacy campaign (`advocacy_campaigns.md`); its fields are in osdi.fields.advocacy_campaign."""

from osdi.fields.advocacy_campaign import ADVOCACY_CAMPAIGN_FIELDS
from schemas.base.common import ResourceSchema, links


class AdvocacyCampaignSchema(ResourceSchema):
    """An advocacy campaign. It has outreaches."""

    rel = "osdi:advocacy_campaign"
    table = ADVOCACY_CAMPAIGN_FIELDS
    _links = links("self", "osdi:outreaches", "osdi:record_outreach_helper", "alternate")
