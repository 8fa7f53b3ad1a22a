"""Sends the mails by which staff members sign in: a work of the worker.

A request for an address that is not that of a member is deleted. A mail that the server does not accept now is tried
again until its link would have expired; each attempt makes a new link and a new code.
"""

import datetime as dt
from typing import Final

from osdi import log
from osdi.documents import Document
from osdi.ids import now, time_in
from osdi.mail.compose import compose_plain_text
from osdi.mail.mailboxes import mailbox, sender
from osdi.mail.smtp import Smtp, SmtpServer
from osdi.mail.smtp_replies import SmtpError
from osdi.retry import backoff_seconds
from osdi.settings import Settings
from osdi.staff.link_store import lease_request
from osdi.staff.links import VALID, code_hash, link_url, new_code
from osdi.staff.members import find_member
from osdi.staff.sessions import new_secret, secret_hash
from osdi.store import Store
from osdi.store.indexes import STAFF_LINKS

LEASE: Final = dt.timedelta(seconds=90)
MAX_WAIT_SECONDS: Final = 60.0
TEXT: Final = """Hello {name},

open this link to sign in to the staff pages of {organisation}:

{url}

Or enter this code in the browser in which you asked for this mail:

{code}

Both are valid for {minutes} minutes, and only once. If you did not ask for this mail, do nothing.
"""


class SignInMails:
    """Sends the mails of a deployment that has SMTP_URL and MAIL_FROM."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._smtp = Smtp(SmtpServer.of(settings.smtp_url))

    def do_next(self) -> bool:
        """Answers the request that has waited longest; returns False if none is due. Raises OsdiError 503."""
        timestamp = now()
        request = lease_request(self._store, timestamp, timestamp + LEASE)
        if request is None:
            return False
        # After a failed attempt the request has the member's id instead of the address.
        member = find_member(self._store, request.get("staff_id", "") or request["email"])
        if member is None or member["disabled"]:
            self._store.delete_many(STAFF_LINKS, {"_id": request["_id"]})
            return True
        reason = self._send(request, member)
        state = "sent" if reason is None else "failed"
        log.logger().info("sign_in_mail", link_id=request["_id"], staff_id=member["_id"], state=state, reason=reason)
        return True

    def close(self) -> None:
        """Closes the connection to the mail server."""
        self._smtp.close()

    def _send(self, request: Document, member: Document) -> str | None:
        """Sends the mail and marks the result; returns None, or why it was not sent."""
        secret, code = new_secret(), new_code()
        hashes = {"staff_id": member["_id"], "hash": secret_hash(secret), "code_hash": code_hash(code)}
        self._change(request, {"$set": hashes, "$unset": {"email": ""}})
        from_ = sender("", self._settings.mail_from)
        bounces = self._settings.bounce_address
        mail = compose_plain_text(
            subject=f"Sign in to {self._settings.vendor_name}",
            text=self._text(member, secret, code),
            to=member["email"],
            message_id=f"{request['_id']}-{request['attempts']}",
            sender=from_,
            date=time_in(dt.UTC),
        )
        try:
            envelope_from = mailbox(bounces).addr_spec if bounces else from_.addr_spec
            self._smtp.send(mail, envelope_from=envelope_from, to=member["email"])
        except SmtpError as error:
            if error.permanent:
                self._change(request, {"$unset": {"not_before": ""}})
            else:
                wait = backoff_seconds(request["attempts"], first=2, max_seconds=MAX_WAIT_SECONDS)
                self._change(request, {"$set": {"not_before": now() + dt.timedelta(seconds=wait)}})
            return f"smtp_{error.stage}" + (f"_{error.code}" if error.code else "")
        self._change(request, {"$unset": {"not_before": ""}})
        return None

    def _text(self, member: Document, secret: str, code: str) -> str:
        return TEXT.format(
            name=member["name"],
            organisation=self._settings.vendor_name,
            url=link_url(self._settings.public_url, secret),
            code=code,
            minutes=int(VALID.total_seconds() // 60),
        )

    def _change(self, request: Document, change: Document) -> None:
        self._store.update_many(STAFF_LINKS, {"_id": request["_id"]}, change)
