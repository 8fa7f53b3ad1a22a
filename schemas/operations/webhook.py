"""A webhook: the receiver of events, and its events. An empty array of events is rejected: nothing would be sent."""

from typing import Any, ClassVar

import marshmallow as ma

from osdi.fields.limits import MAX_LINE_LENGTH, MAX_SECRET_LENGTH, MAX_URL_LENGTH
from osdi.fields.webhook import EVENTS
from schemas.base.common import OsdiSchema, RequiredFields, links
from schemas.base.fields import Bool, DateTime, Enum, Strings, Text, WholeNumber


class RejectedEventSchema(OsdiSchema):
    """An event that the receiver rejected alone, so that it is not sent again."""

    event = Text(metadata={"description": "Name of the event."})
    reason = Text(metadata={"description": "Such as `status_413`."})
    date = DateTime(metadata={"description": "Time of the rejection."})
    _links = links(
        "osdi:person",
        "osdi:outreach",
        description="The person or outreach of the event; of a deletion its former address, in the deployment's"
        " namespace.",
    )


class DeliverySchema(OsdiSchema):
    """One POST to the receiver."""

    date = DateTime(metadata={"description": "Time of the delivery."})
    events = WholeNumber(metadata={"description": "Number of events in the POST."})
    milliseconds = WholeNumber(metadata={"description": "Duration of the POST."})
    status = WholeNumber(metadata={"description": "Status code of the receiver's response."})
    failure = Text(metadata={"description": "Reason of a failure, such as `status_500` or `timeout`."})
    response = Text(metadata={"description": "After a failure: the beginning of the response."})


class WebhookSchema(RequiredFields):
    """A receiver of events, in the body of a POST and in responses."""

    needs: ClassVar[tuple[str, ...]] = ("url",)

    id = Text(dump_only=True, metadata={"description": "Id of the webhook."})
    url = Text(max_length=MAX_URL_LENGTH, metadata={"description": "Address that receives events by POST: https://..."})
    events = Strings(
        Enum(*EVENTS),
        limit=len(EVENTS),
        metadata={"description": "Events to send. Default: all.", "items": {"enum": list(EVENTS)}},
    )
    description = Text(max_length=MAX_LINE_LENGTH, metadata={"description": "Purpose of the webhook, for staff."})
    enabled = Bool(
        metadata={"description": "True: events are sent. Enabling again sends waiting and rejected events, too."}
    )
    secret = Text(
        max_length=MAX_SECRET_LENGTH,
        metadata={
            "description": "Key of the signatures: `whsec_` and base64. Only the response that creates it has it."
        },
    )
    created_date = DateTime(dump_only=True, metadata={"description": "Time at which the webhook was created."})
    modified_date = DateTime(dump_only=True, metadata={"description": "Time of the last change."})
    disabled_reason = Text(
        dump_only=True,
        metadata={"description": "`by_hand`, `gave_up` after failures, or `receiver_gone` after a 410."},
    )
    waiting = WholeNumber(
        dump_only=True, metadata={"description": "People, outreaches and deletions with events that are not sent yet."}
    )
    rejected = WholeNumber(
        dump_only=True,
        metadata={"description": "People, outreaches and deletions with events that the receiver rejects."},
    )
    rejected_events = ma.fields.List(
        ma.fields.Nested(RejectedEventSchema),
        dump_only=True,
        metadata={"description": "The newest of these events. They are sent again if the webhook is enabled again."},
    )
    failures = WholeNumber(dump_only=True, metadata={"description": "Failures in a row."})
    failing_since = DateTime(
        dump_only=True, metadata={"description": "Time of the first of the failures since the last success."}
    )
    last_failure = Text(dump_only=True, metadata={"description": "Such as `status_500`, `timeout`, `private_address`."})
    next_attempt_date = DateTime(dump_only=True, metadata={"description": "After failures: time of the next attempt."})
    last_delivered_date = DateTime(dump_only=True, metadata={"description": "Time of the last success."})
    deliveries = ma.fields.List(
        ma.fields.Nested(DeliverySchema),
        dump_only=True,
        metadata={"description": "The last 20 deliveries, the newest first. Tests are not among them."},
    )
    _links = links("self", "test")


class WebhookPutSchema(WebhookSchema):
    """A change of a webhook. Null for the secret creates a new one, which the response contains."""

    needs: ClassVar[tuple[str, ...]] = ()

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Returns the fields to change; `secret` is None if the server must create a new one."""
        loaded = super().load(data, **kwargs)
        wrong = [name for name in ("url", "events") if name in data and name not in loaded]
        if wrong:
            raise ma.ValidationError({name: ["This cannot be cleared."] for name in wrong})
        if "secret" in data and not data["secret"]:
            loaded["secret"] = None
        if "description" in data and not data["description"]:
            loaded["description"] = ""
        return loaded


class WebhookListSchema(OsdiSchema):
    """All webhooks, on one page."""

    webhooks = ma.fields.List(ma.fields.Nested(WebhookSchema), metadata={"description": "All webhooks."})
    _links = links("self")


class WebhookTestSchema(OsdiSchema):
    """The result of a test."""

    delivered = Bool(metadata={"description": "True: the receiver responded with 2xx."})
    status = WholeNumber(metadata={"description": "Status code of the receiver's response."})
    failure = Text(metadata={"description": "Reason of the failure."})
    _links = links("webhook")
