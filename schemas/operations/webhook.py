"""A webhook: which other system is told of what. An empty array of events is refused: it would tell nothing."""

from typing import Any, ClassVar

import marshmallow as ma

from osdi.fields.limits import LINE_LENGTH, SECRET_LENGTH, URL_LENGTH
from osdi.fields.webhook import EVENTS
from schemas.base.common import OsdiSchema, RequiredFields, links
from schemas.base.fields import Bool, DateTime, Enum, Strings, Text, WholeNumber


class WebhookSchema(RequiredFields):
    """A receiver of events, as it is created and answered."""

    needs: ClassVar[tuple[str, ...]] = ("url",)

    id = Text(dump_only=True)
    url = Text(max_length=URL_LENGTH, metadata={"description": "Where events are POSTed: https://..."})
    events = Strings(
        Enum(*EVENTS),
        limit=len(EVENTS),
        metadata={"description": "What it is told of; everything, when absent.", "items": {"enum": list(EVENTS)}},
    )
    description = Text(max_length=LINE_LENGTH)
    enabled = Bool(metadata={"description": "Whether it is told anything; true again begins with what waits."})
    secret = Text(
        max_length=SECRET_LENGTH,
        metadata={"description": "`whsec_` and base64: what signatures are made with. Answered when it is new only."},
    )
    created_date = DateTime(dump_only=True)
    modified_date = DateTime(dump_only=True)
    disabled_reason = Text(
        dump_only=True,
        metadata={"description": "`by_hand`, `gave_up` after failures, or `receiver_gone` after a 410."},
    )
    waiting = WholeNumber(dump_only=True, metadata={"description": "Outreaches and people that wait to be told."})
    failures = WholeNumber(dump_only=True, metadata={"description": "Failures in a row."})
    failing_since = DateTime(dump_only=True)
    last_failure = Text(dump_only=True, metadata={"description": "Such as `status_500`, `timeout`, `private_address`."})
    next_attempt_date = DateTime(dump_only=True, metadata={"description": "After failures: when it is tried again."})
    last_delivered_date = DateTime(dump_only=True)
    _links = links("self", "test")


class WebhookPutSchema(WebhookSchema):
    """A change of a webhook: what is named changes. A secret of null is replaced by a new one, which is answered."""

    needs: ClassVar[tuple[str, ...]] = ()

    def load(self, data: Any, **kwargs: Any) -> Any:
        """The fields to change; `secret` is None where a new one is to be made."""
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
    """All webhooks: there are few, so they come on one page."""

    webhooks = ma.fields.List(ma.fields.Nested(WebhookSchema))
    _links = links("self")


class WebhookTestSchema(OsdiSchema):
    """What came of a test."""

    taken = Bool(metadata={"description": "Whether the receiver answered with 2xx."})
    status = WholeNumber(metadata={"description": "Which status it answered with."})
    failure = Text(metadata={"description": "Why it was not taken."})
    _links = links("self", "webhook")
