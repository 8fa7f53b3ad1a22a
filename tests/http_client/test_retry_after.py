"""Retry-After in seconds or as a date, bounded."""

import datetime as dt

import pytest

from osdi.http_client.post import HttpPost
from osdi.http_client.retry_after import retry_after_seconds
from tests.support.receivers import LOOPBACK, Receiver

NOW = dt.datetime(2026, 3, 18, 11, 2, 15, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        (" 30 ", 30),
        ("0", 0),
        ("3600", 3_600),
        ("3601", 3_600),
        ("86400", 3_600),
        ("9" * 5_000, 3_600),
        ("Wed, 18 Mar 2026 11:02:45 GMT", 30),
        ("Wednesday, 18-Mar-26 11:02:45 GMT", 30),
        ("Wed, 18 Mar 2026 12:02:45 +0100", 30),
        ("Wed, 18 Mar 2026 11:02:45 -0000", 30),
        ("Wed, 18 Mar 2026 11:02:15 GMT", 0),
        ("Wed, 18 Mar 2020 11:02:15 GMT", 0),
        ("Thu, 18 Mar 2027 11:02:15 GMT", 3_600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 0),
        (None, None),
        ("", None),
        ("-30", None),
        ("+30", None),
        ("30.5", None),
        ("1e3", None),
        ("\u0663\u0660", None),
        ("soon", None),
        ("30, 60", None),
        ("Wed, 32 Mar 2026 11:02:45 GMT", None),
        ("2026-03-18T11:02:45Z", None),
        ("Wed, 18 Mar 99999 11:02:45 GMT", None),
    ],
)
def test_a_wait_is_read(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "30"}, 30), ({"retry-after": "x"}, None), ({}, None)]
)
def test_a_response_has_its_wait(headers: dict[str, str], seconds: float | None) -> None:
    with Receiver(status=429, headers=headers) as receiver:
        response = HttpPost(LOOPBACK).post(receiver.url(), b"[]", {})

    assert (response.status, response.retry_after) == (429, seconds)
