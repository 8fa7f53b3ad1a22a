"""The policy for posts without a token, as the settings pages describe it: of the deployment, and of campaigns."""

from dataclasses import dataclass

from osdi.access.anonymous_posts import AnonymousPosts
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.settings import ANONYMOUS_ACTIONS, Settings
from osdi.staff.campaign_list import MAX_CAMPAIGNS, title_of
from osdi.store import Store


@dataclass(frozen=True)
class CampaignPolicy:
    """The policy of a campaign that has values of its own."""

    campaign_id: str
    title: str
    policy: AnonymousPosts


@dataclass(frozen=True)
class Policy:
    """The deployment's policy with its limits, and the campaigns that differ.

    `forbidden` has the actions that the settings do not allow. `requests` and `body_bytes` are limits of one sender.
    """

    deployment: AnonymousPosts
    forbidden: tuple[str, ...]
    requests: str
    body_bytes: int
    identifiers: bool
    campaigns: tuple[CampaignPolicy, ...]


def policy(store: Store, settings: Settings) -> Policy:
    """Returns the policy of this deployment. Raises OsdiError 503."""
    deployment = AnonymousPosts.of(settings)
    own = store.find(
        ADVOCACY_CAMPAIGN.collection, {"anonymous_posts": {"$exists": True}}, sort=("-_id",), limit=MAX_CAMPAIGNS
    )
    return Policy(
        deployment=deployment,
        forbidden=tuple(each for each in ANONYMOUS_ACTIONS if each not in deployment.actions),
        requests=settings.rate_limit_anonymous,
        body_bytes=settings.max_anonymous_body_bytes,
        identifiers=settings.trust_anonymous_identifiers,
        campaigns=tuple(CampaignPolicy(each["_id"], title_of(each), AnonymousPosts.of(settings, each)) for each in own),
    )
