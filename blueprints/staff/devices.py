"""The browsers in which a member is signed in, and their sign-out."""

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import store
from blueprints.staff.blueprint import ANY_MEMBER, pages
from blueprints.staff.cookie import replace_secret
from blueprints.staff.frame import page, signed_in
from osdi.errors import not_found
from osdi.ids import now
from osdi.staff.sessions import end_all_sessions, end_session, sessions_of


@pages.get("/devices", access=ANY_MEMBER)
def devices() -> Response:
    """List the browsers in which the member is signed in"""
    found = sessions_of(store(), signed_in().member["_id"], now())
    return page("devices.html", sessions=found, present=signed_in().session_id)


@pages.post("/devices/<session_id>/sign-out", access=ANY_MEMBER)
def sign_out_device(session_id: str) -> AnyResponse:
    """Sign out of another browser"""
    if not end_session(store(), signed_in().member["_id"], session_id):
        raise not_found("This browser is signed out already.")
    return redirect(url_for("staff.devices", done="device_signed_out"), 303)


@pages.post("/devices/sign-out", access=ANY_MEMBER)
def sign_out_everywhere() -> AnyResponse:
    """Sign out of all browsers"""
    end_all_sessions(store(), signed_in().member["_id"])
    replace_secret()
    return redirect(url_for("staff.sign_in", done="signed_out_everywhere"), 303)
