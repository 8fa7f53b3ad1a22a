"""The controls of the editor for the campaign's mail: the message, and the option to send it for every outreach."""

from dataclasses import dataclass, field
from typing import Final

from blueprints.http.context import reference
from blueprints.staff.campaign.editor.typed import CHECKED, Typed
from osdi.action_functions.followup_kinds import AUTORESPONSE
from osdi.action_functions.triggers import sends_for_every_outreach
from osdi.documents import Json, ReadOnlyDocument
from osdi.staff.campaign.autoresponse import chosen_mail, is_sendable_mail, mail_trigger

MAIL: Final = "autoresponse.message"
EVERY_OUTREACH: Final = "autoresponse.every_outreach"
UNKNOWN: Final = "There is no such mail, or it lacks a subject or a text."
NO_MAIL: Final = "Choose the mail that is sent for every outreach."


@dataclass(frozen=True)
class MailChange:
    """The part of a PUT that is about the campaign's mail."""

    fields: Json = field(default_factory=dict)
    cleared: tuple[str, ...] = ()


def mail_controls(campaign: ReadOnlyDocument) -> dict[str, str]:
    """Returns the values of the controls for the stored campaign."""
    return {MAIL: chosen_mail(campaign), EVERY_OUTREACH: CHECKED if sends_for_every_outreach(campaign) else ""}


def typed_mail(campaign: ReadOnlyDocument, typed: Typed) -> tuple[MailChange, dict[str, str]]:
    """Returns the change that a form means, and the message of each wrong control. Raises OsdiError 503.

    A form without the controls, or with the stored values, changes nothing.
    """
    stored, mail, every = mail_controls(campaign), typed.get(MAIL), typed.get(EVERY_OUTREACH, "")
    if mail is None or (mail, every) == (stored[MAIL], stored[EVERY_OUTREACH]):
        return MailChange(), {}
    if not mail:
        return MailChange(cleared=(f"triggers.{AUTORESPONSE}",)), {EVERY_OUTREACH: NO_MAIL} if every else {}
    if mail != stored[MAIL] and not is_sendable_mail(reference(), mail):
        return MailChange(), {MAIL: UNKNOWN}
    trigger = mail_trigger(campaign, mail, every_outreach=every == CHECKED)
    return MailChange({"triggers": {AUTORESPONSE: trigger}}), {}
