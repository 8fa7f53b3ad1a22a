"""Sends a message to its author, filled in for an example person, so that they see it in their own mail program."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from osdi.action_functions.followup_kinds import EMAIL
from osdi.crud.reference_cache import Reference
from osdi.errors import ErrorDescription, OsdiError, conflict, invalid
from osdi.followups.preview import fill
from osdi.ids import new_id, time_in
from osdi.mail.compose import compose
from osdi.mail.mailboxes import mailbox, sender
from osdi.mail.smtp import Smtp, SmtpServer
from osdi.mail.smtp_replies import SmtpError
from osdi.settings import Settings
from osdi.store import Store

# A browser waits for the response of the mail server.
REPLY_SECONDS: Final = 5.0
MAIL_SECONDS: Final = 10.0


def send_example(
    store: Store, reference: Reference, settings: Settings, message: Mapping[str, Any], to: str, base_url: str
) -> None:
    """Sends a checked message to one address; its subject begins with `[Test]`. Its link to unsubscribe leads nowhere.

    Raises OsdiError 400 for a text message, 409 for settings or a template that make no mail, 502 if the mail server
    does not accept it, 503.
    """
    if message.get("type", EMAIL) != EMAIL:
        raise invalid("Only a mail can be tried out.", "type")
    if not settings.smtp_url:
        raise conflict("NO_SMTP", "This server sends no mail. Set SMTP_URL and MAIL_FROM.")
    filled = fill(store, reference, settings, message, None, base_url)
    rendered = replace(filled.rendered, subject=f"[Test] {filled.rendered.subject}")
    try:
        from_ = sender(rendered.from_, settings.mail_from)
        mail = compose(
            rendered,
            to=to,
            message_id=new_id(),
            sender=from_,
            unsubscribe_url=filled.unsubscribe_url,
            date=time_in(settings.zone),
            language=filled.language,
        )
    except ValueError as error:
        raise conflict("NO_MAIL", "The mail has no valid sender. Set MAIL_FROM.", "from") from error
    bounces = settings.bounce_address
    smtp = Smtp(SmtpServer.of(settings.smtp_url), seconds=REPLY_SECONDS, mail_seconds=MAIL_SECONDS)
    try:
        smtp.send(mail, envelope_from=mailbox(bounces).addr_spec if bounces else from_.addr_spec, to=to)
    except SmtpError as error:
        sentence = f"The mail server did not accept the mail ({error})."
        raise OsdiError(502, ErrorDescription("SMTP", sentence)) from error
    finally:
        smtp.close()
