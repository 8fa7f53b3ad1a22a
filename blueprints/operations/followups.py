"""Numbers of follow-ups by state. This route is not in the standard."""

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.context import hal, hal_response, store
from osdi.access.tokens import READ
from osdi.followups import outbox_store
from osdi.resources import API
from schemas.operations.followups import FollowupCountsSchema

blp = Blueprint(
    "Follow-ups",
    __name__,
    url_prefix=f"{API}/followups",
    description="Numbers of mails, text messages and calls by state",
)


@blp.route("")
@blp.token_required(READ)
@blp.response(200, FollowupCountsSchema)
def get_followups() -> Response:
    """Count the follow-ups by state

    Waiting and failed follow-ups are counted by kind and reason. The state of a single follow-up is on its outreach.
    """
    counts = outbox_store.counts(store())
    waiting = [each["oldest"] for each in counts if each["state"] in outbox_store.PENDING]
    links = {"self": {"href": hal().href("followups")}}
    return hal_response({"followups": counts, "oldest": min(waiting, default=None), "_links": links})
