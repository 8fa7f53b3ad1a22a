"""Transports of follow-ups: mails by SMTP, texts and calls by the gateways of the organisation."""

import datetime as dt
from collections.abc import Callable, Mapping
from email.headerregistry import Address
from typing import Final

import orjson

from osdi.action_functions.followup_kinds import CALL_RESPONSE, MAILS, SMS_RESPONSE
from osdi.followups.delivery import DeliveryFailed, Transport
from osdi.followups.preparation import OutgoingMessage
from osdi.followups.unsubscribe import mark_bouncing
from osdi.hal import Hal
from osdi.http_client import post
from osdi.http_client.signature import sign
from osdi.ids import time_in
from osdi.mail import compose, smtp
from osdi.mail.mailboxes import mailbox, sender
from osdi.mail.smtp import SmtpServer
from osdi.mail.smtp_replies import SmtpError
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON
from osdi.settings import Settings
from osdi.store import Store

# At these stages the server rejects the connection, not the mail: the next mail would fail too.
BEFORE_THE_MAIL: Final = ("connect", "tls", "starttls", "ehlo", "login")

GATEWAY_SECONDS: Final = 15.0


class Mail:
    """Sends mails by SMTP, each with a link by which its reader unsubscribes."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._smtp = smtp.Smtp(SmtpServer.of(settings.smtp_url))

    def send(self, message: OutgoingMessage) -> None:
        """Hands the mail over. Raises DeliveryFailed, and marks an address that was rejected for good as bouncing."""
        try:
            from_ = sender(message.rendered.from_, self._settings.mail_from)
        except ValueError as error:
            raise DeliveryFailed("no_from", permanent=True) from error
        bounces = self._settings.bounce_address
        envelope_from = mailbox(bounces).addr_spec if bounces else from_.addr_spec
        to = message.recipient.to
        try:
            self._smtp.send(_composed(message, from_), envelope_from=envelope_from, to=to)
        except SmtpError as error:
            if error.permanent and error.recipient:
                mark_bouncing(self._store, to)
                raise DeliveryFailed("bouncing", permanent=True) from error
            reason = f"smtp_{error.stage}" + (f"_{error.code}" if error.code else "")
            whole_kind = error.stage in BEFORE_THE_MAIL
            raise DeliveryFailed(reason, permanent=error.permanent, whole_kind=whole_kind) from error

    def close(self) -> None:
        """Closes the connection to the mail server."""
        self._smtp.close()


def _composed(message: OutgoingMessage, from_: Address) -> bytes:
    try:
        return compose.compose(
            message.rendered,
            to=message.recipient.to,
            message_id=message.followup["_id"],
            sender=from_,
            unsubscribe_url=message.unsubscribe_url,
            date=time_in(dt.UTC),
            language=message.language,
        )
    except ValueError as error:
        raise DeliveryFailed("not_a_mail", permanent=True) from error


class Gateway:
    """Sends texts or calls: a signed POST of JSON to the organisation's gateway."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._hal = Hal(settings.public_url, settings.namespace)
        self._http = post.HttpPost(seconds=GATEWAY_SECONDS)

    def send(self, message: OutgoingMessage) -> None:
        """Posts the message. Raises DeliveryFailed unless the status is 2xx.

        408, 429, 5xx and no response are failures for now, other statuses for good. A Retry-After pauses the gateway.
        """
        body = orjson.dumps(self._body(message))
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.followup["_id"]}
        if self._settings.gateway_secret:
            timestamp = time_in(dt.UTC)
            headers |= sign(self._settings.gateway_secret, message.followup["_id"], timestamp, body)
        try:
            response = self._http.post(self._url, body, headers, guarded=False)
        except post.NotDelivered as error:
            raise DeliveryFailed(f"gateway_{error.reason}", whole_kind=True) from error
        status = response.status
        if not 200 <= status < 300:
            later = status in (408, 429) or status >= 500
            # A gateway that asks us to wait takes no other message either.
            wait = response.retry_after if later else None
            raise DeliveryFailed(f"gateway_{status}", permanent=not later, whole_kind=bool(wait), retry_after=wait)

    def close(self) -> None:
        """Does nothing: no connection is kept open."""

    def _body(self, message: OutgoingMessage) -> dict[str, object]:
        campaign_id = message.outreach["advocacy_campaign_id"]
        outreach = (ADVOCACY_CAMPAIGN.collection, campaign_id, OUTREACH.collection, message.outreach["_id"])
        return {
            "kind": message.followup["kind"],
            "idempotency_key": message.followup["_id"],
            "to": message.recipient.to,
            "text": message.rendered.text,
            "_links": {
                OUTREACH.rel: {"href": self._hal.href(*outreach)},
                PERSON.rel: {"href": self._hal.href(PERSON.collection, message.person["_id"])},
            },
        }


def transports(store: Store, settings: Settings) -> dict[str, Transport]:
    """Returns the transports that the settings name, by kind of follow-up. Follow-ups of other kinds are skipped."""
    made: Mapping[str, tuple[str, Callable[[], Transport]]] = {
        **{kind: (settings.smtp_url, lambda: Mail(store, settings)) for kind in MAILS},
        SMS_RESPONSE: (settings.sms_gateway_url, lambda: Gateway(settings.sms_gateway_url, settings)),
        CALL_RESPONSE: (settings.call_gateway_url, lambda: Gateway(settings.call_gateway_url, settings)),
    }
    return {kind: make() for kind, (url, make) in made.items() if url}
