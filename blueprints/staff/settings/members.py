"""Staff members: the list, and forms to add, invite, disable, enable and sign them out."""

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import settings, store
from blueprints.staff.blueprint import pages
from blueprints.staff.frame import page, signed_in
from blueprints.staff.settings.access import ADMINISTRATOR, FRESH_ADMINISTRATOR
from blueprints.staff.settings.errors import Errors, or_form
from osdi.documents import Document
from osdi.ids import now
from osdi.staff.links import mails_are_sent
from osdi.staff.members import set_disabled
from osdi.staff.settings.bound import campaign_choices
from osdi.staff.settings.member_list import (
    NewMember,
    add,
    disable,
    get_member,
    invite,
    member_list,
    sign_out_everywhere,
)

TEXTS = ("email", "name", "person_id", "advocacy_campaign_id")


@pages.get("/settings/staff", access=ADMINISTRATOR)
def staff_members() -> Response:
    """List the staff members"""
    return page("settings/members.html", members=member_list(store(), now()), mails=mails_are_sent(settings()))


@pages.get("/settings/staff/new", access=FRESH_ADMINISTRATOR)
def new_member() -> Response:
    """Show the form for a new member"""
    return _form()


@pages.post("/settings/staff/new", access=FRESH_ADMINISTRATOR)
def add_staff() -> AnyResponse:
    """Add a member, and mail or show a sign-in link"""
    return or_form(lambda: _invited(add(store(), _typed())), _form)


@pages.post("/settings/staff/<member_id>/link", access=FRESH_ADMINISTRATOR)
def invite_staff(member_id: str) -> AnyResponse:
    """Mail or show another sign-in link"""
    return _invited(get_member(store(), member_id))


@pages.get("/settings/staff/<member_id>/disable", access=FRESH_ADMINISTRATOR)
def disable_staff_form(member_id: str) -> Response:
    """Ask before a member is disabled"""
    return page("settings/disable_member.html", found=get_member(store(), member_id))


@pages.post("/settings/staff/<member_id>/disable", access=FRESH_ADMINISTRATOR)
def disable_staff(member_id: str) -> AnyResponse:
    """Disable a member"""
    disable(store(), member_id, signed_in().member["_id"])
    return redirect(url_for("staff.staff_members", done="member_disabled"), 303)


@pages.post("/settings/staff/<member_id>/enable", access=FRESH_ADMINISTRATOR)
def enable_staff(member_id: str) -> AnyResponse:
    """Enable a member"""
    set_disabled(store(), member_id, disabled=False)
    return redirect(url_for("staff.staff_members", done="member_enabled"), 303)


@pages.post("/settings/staff/<member_id>/sign-out", access=FRESH_ADMINISTRATOR)
def sign_out_staff(member_id: str) -> AnyResponse:
    """Sign a member out of all browsers"""
    sign_out_everywhere(store(), member_id)
    return redirect(url_for("staff.staff_members", done="member_signed_out"), 303)


def _invited(member: Document) -> AnyResponse:
    link = invite(store(), settings(), request.url_root.rstrip("/"), member, now())
    if link:
        return page("settings/member_link.html", found=member, link=link)
    return redirect(url_for("staff.staff_members", done="member_added"), 303)


def _typed() -> NewMember:
    texts = {name: request.form.get(name, "").strip() for name in TEXTS}
    return NewMember(**texts, scopes=tuple(dict.fromkeys(request.form.getlist("scopes"))))


def _form(status: int = 200, errors: Errors | None = None) -> Response:
    campaigns = campaign_choices(store())
    return page("settings/new_member.html", status, typed=_typed(), errors=errors or {}, campaigns=campaigns)
