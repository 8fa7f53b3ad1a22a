"""The audit log: who did what and when, with the ids of what it was done to."""

from flask import Response, request

from blueprints.http.context import store
from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page
from blueprints.staff.settings.access import ADMINISTRATOR
from osdi.staff.settings.event_list import EventFilter, event_list, member_choices


@pages.get("/settings/audit-log", access=ADMINISTRATOR)
def audit_log() -> Response:
    """List what members and operators did"""
    chosen = EventFilter(**{name: request.args.get(name, "")[:100] for name in ("staff_id", "action")})
    found = event_list(store(), chosen, request.args.get("before", "")[:100])
    return page("settings/audit_log.html", found=found, chosen=chosen, members=member_choices(store()))
