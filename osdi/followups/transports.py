"""The ways in which follow-ups go out: mails by SMTP, texts and calls by the organisation's gateways."""

import datetime as dt
from collections.abc import Callable, Mapping

import orjson

from osdi.action_functions.followup_kinds import AUTORESPONSE, CALL_RESPONSE, SMS_RESPONSE
from osdi.followups.delivery import DeliveryFailed, OutgoingMessage, Transport
from osdi.followups.unsubscribe import mark_bouncing
from osdi.hal import Hal
from osdi.http_client import post
from osdi.http_client.signature import sign
from osdi.mail import compose, smtp
from osdi.mail.mailboxes import mailbox, sender
from osdi.mail.smtp import SmtpServer
from osdi.mail.smtp_replies import SmtpError
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON
from osdi.settings import Settings
from osdi.store import Store

# At these stages it is not the mail that is refused: the next one would fare no better.
BEFORE_THE_MAIL = ("connect", "tls", "starttls", "ehlo", "login")

GATEWAY_SECONDS = 15.0


class Mail:
    """Sends autoresponses by SMTP, each with a link by which its reader unsubscribes."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._smtp = smtp.Smtp(SmtpServer.of(settings.smtp_url))

    def send(self, todo: OutgoingMessage) -> None:
        """Hands the mail over. Raises DeliveryFailed, and marks an address that was rejected for good as bouncing."""
        try:
            from_ = sender(todo.rendered.from_, self._settings.mail_from)
        except ValueError as error:
            raise DeliveryFailed("no_from", permanent=True) from error
        to = todo.recipient.to
        try:
            message = compose.compose(
                todo.rendered,
                to=to,
                message_id=todo.followup["_id"],
                sender=from_,
                unsubscribe_url=todo.unsubscribe_url,
                date=dt.datetime.now(dt.UTC),
            )
        except ValueError as error:
            raise DeliveryFailed("not_a_mail", permanent=True) from error
        bounces = self._settings.bounce_address
        envelope_from = mailbox(bounces).addr_spec if bounces else from_.addr_spec
        try:
            self._smtp.send(message, envelope_from=envelope_from, to=to)
        except SmtpError as error:
            if error.permanent and error.recipient:
                mark_bouncing(self._store, to)
                raise DeliveryFailed("bouncing", permanent=True) from error
            reason = f"smtp_{error.stage}" + (f"_{error.code}" if error.code else "")
            everything = error.stage in BEFORE_THE_MAIL
            raise DeliveryFailed(reason, permanent=error.permanent, everything=everything) from error

    def close(self) -> None:
        """Take leave of the server."""
        self._smtp.close()


class Gateway:
    """Sends texts or calls: a signed POST of JSON to the organisation's gateway."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._hal = Hal(settings.public_url, settings.namespace)
        self._http = post.HttpPost(seconds=GATEWAY_SECONDS)

    def send(self, todo: OutgoingMessage) -> None:
        """Hand it over: 2xx takes it, 429 and 5xx will later, anything else never. Raises DeliveryFailed."""
        body = orjson.dumps(self._body(todo))
        headers = {"Content-Type": "application/json", "Idempotency-Key": todo.followup["_id"]}
        if self._settings.gateway_secret:
            timestamp = dt.datetime.now(dt.UTC)
            headers |= sign(self._settings.gateway_secret, todo.followup["_id"], timestamp, body)
        try:
            status = self._http.post(self._url, body, headers, guarded=False)
        except post.NotDelivered as error:
            raise DeliveryFailed(f"gateway_{error.reason}", everything=True) from error
        if not 200 <= status < 300:
            later = status in (408, 429) or status >= 500
            raise DeliveryFailed(f"gateway_{status}", permanent=not later)

    def close(self) -> None:
        """Nothing is kept open."""

    def _body(self, todo: OutgoingMessage) -> dict[str, object]:
        campaign_id = todo.outreach["advocacy_campaign_id"]
        outreach = (ADVOCACY_CAMPAIGN.collection, campaign_id, OUTREACH.collection, todo.outreach["_id"])
        return {
            "kind": todo.followup["kind"],
            "idempotency_key": todo.followup["_id"],
            "to": todo.recipient.to,
            "text": todo.rendered.text,
            "_links": {
                OUTREACH.rel: {"href": self._hal.href(*outreach)},
                PERSON.rel: {"href": self._hal.href(PERSON.collection, todo.person["_id"])},
            },
        }


def transports(store: Store, settings: Settings) -> dict[str, Transport]:
    """What the settings name, by kind of follow-up; a kind without is skipped, which its outreach shows."""
    made: Mapping[str, tuple[str, Callable[[], Transport]]] = {
        AUTORESPONSE: (settings.smtp_url, lambda: Mail(store, settings)),
        SMS_RESPONSE: (settings.sms_gateway_url, lambda: Gateway(settings.sms_gateway_url, settings)),
        CALL_RESPONSE: (settings.call_gateway_url, lambda: Gateway(settings.call_gateway_url, settings)),
    }
    return {kind: make() for kind, (url, make) in made.items() if url}
