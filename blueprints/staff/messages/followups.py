"""The list of follow-ups with their reasons, and the page that queues them again."""

from typing import Final

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from osdi.access.tokens import READ, WRITE
from osdi.action_functions.followup_kinds import FAILED
from osdi.staff.messages.followup_list import FollowupFilter, followup_list, retry, to_retry

MAX_TEXT_LENGTH: Final = 100


@pages.get("/followups", access=Access(READ))
def followups() -> Response:
    """List follow-ups by state and reason"""
    chosen = _chosen()
    return page("messages/followups.html", found=followup_list(store(), caller(), settings(), chosen), chosen=chosen)


@pages.get("/followups/retry", access=Access(WRITE))
def confirm_retry() -> Response:
    """Ask before follow-ups are queued again"""
    chosen, followup_id = _chosen(), _text("id")
    rows = to_retry(store(), followup_id, chosen)
    return page("messages/retry.html", rows=rows, followup_id=followup_id, chosen=chosen)


@pages.post("/followups/retry", access=Access(WRITE))
def retry_followups() -> AnyResponse:
    """Queue follow-ups again"""
    chosen = _chosen()
    done = retry(store(), _text("id"), chosen)
    return redirect(url_for("staff.followups", state=chosen.state, done=done), 303)


def _chosen() -> FollowupFilter:
    return FollowupFilter(_text("state") or FAILED, _text("kind"), _text("reason"), _text("before"))


def _text(name: str) -> str:
    return request.values.get(name, "").strip()[:MAX_TEXT_LENGTH]
