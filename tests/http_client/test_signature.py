"""Signatures as Standard Webhooks has them: a receiver's own library accepts ours, and nothing that was changed."""

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from osdi.http_client.signature import new_secret, sign

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
MESSAGE_ID = "0190e5a4-7c1f-7000-8000-000000000001"
BODY = '[{"osdi:outreach": {"name": "Zoë"}}]'.encode()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_a_receiver_accepts_what_is_signed() -> None:
    headers = sign(SECRET, MESSAGE_ID, now(), BODY)

    assert Webhook(SECRET).verify(BODY, headers) == [{"osdi:outreach": {"name": "Zoë"}}]


def test_the_signature_is_an_hmac_over_id_time_and_body() -> None:
    timestamp = dt.datetime(2024, 7, 9, 12, 30, 15, 999_999, tzinfo=dt.UTC)
    signed = MESSAGE_ID.encode() + b".1720528215." + BODY

    assert sign(SECRET, MESSAGE_ID, timestamp, BODY) == {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": "1720528215",
        "webhook-signature": "v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode(),
    }


def test_the_published_vector_of_standard_webhooks_holds() -> None:
    # The values that the reference libraries of Standard Webhooks test themselves with.
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        dt.datetime.fromtimestamp(1614265330, dt.UTC),
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    timestamp = dt.datetime(2024, 7, 9, 12, 30, 15, tzinfo=dt.UTC)
    elsewhere = timestamp.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30)))

    assert sign(SECRET, MESSAGE_ID, elsewhere, BODY) == sign(SECRET, MESSAGE_ID, timestamp, BODY)


def test_a_time_without_a_zone_is_rejected() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sign(SECRET, MESSAGE_ID, dt.datetime(2024, 7, 9, 12, 30, 15), BODY)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("webhook-id", lambda _: "0190e5a4-7c1f-7000-8000-000000000002"),
        ("webhook-timestamp", lambda sent: str(int(sent) + 5)),
        ("webhook-signature", lambda _: "v1," + base64.b64encode(bytes(32)).decode()),
    ],
)
def test_changed_headers_are_rejected(name: str, changed: Callable[[str], str]) -> None:
    headers = sign(SECRET, MESSAGE_ID, now(), BODY)
    headers[name] = changed(headers[name])

    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(SECRET).verify(BODY, headers)


def test_a_changed_body_is_rejected() -> None:
    headers = sign(SECRET, MESSAGE_ID, now(), BODY)

    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(SECRET).verify(BODY + b" ", headers)


def test_another_secret_is_rejected() -> None:
    headers = sign(SECRET, MESSAGE_ID, now(), BODY)

    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(new_secret()).verify(BODY, headers)


def test_an_old_signature_is_rejected() -> None:
    headers = sign(SECRET, MESSAGE_ID, now() - dt.timedelta(minutes=6), BODY)

    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(BODY, headers)


def test_new_secrets_are_32_bytes_that_never_repeat() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) for secret in made} == {32}
