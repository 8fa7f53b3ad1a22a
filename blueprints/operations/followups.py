"""How the follow-ups stand: what waits, what was sent, what failed. No resource of the standard: ours beside it."""

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.context import answer, hal, store
from osdi.access.tokens import READ
from osdi.followups import outbox_store
from osdi.resources import API
from schemas.operations.followups import FollowupCountsSchema

blp = Blueprint("Follow-ups", __name__, url_prefix=f"{API}/followups", description="How mails, texts and calls stand")


@blp.route("")
@blp.token_required(READ)
@blp.response(200, FollowupCountsSchema)
def get_followups() -> Response:
    """Read how the follow-ups stand

    What waits and what failed is told by kind and reason; what became of one follow-up stands on its outreach.
    """
    counts = outbox_store.counts(store())
    waiting = [each["oldest"] for each in counts if each["state"] in outbox_store.PENDING]
    links = {"self": {"href": hal().href("followups")}}
    return answer({"followups": counts, "oldest": min(waiting, default=None), "_links": links})
