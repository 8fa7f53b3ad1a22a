"""Names of custom fields: every name can be stored in MongoDB, and is returned as it was sent."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osdi.values.custom_field_names import as_sent, sent_name, stored_name

SENT = st.text(st.sampled_from("$.%2E45a "), max_size=12) | st.text(max_size=12)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("shirt size", "shirt size"),
        ("utm.source", "utm%2Esource"),
        ("St. Louis chapter", "St%2E Louis chapter"),
        ("$ pledged", "%24 pledged"),
        ("US$", "US$"),
        ("50% off", "50% off"),
        ("%2E", "%252E"),
        ("%24", "%2524"),
        ("%25", "%2525"),
        ("%2e", "%2e"),
        (".", "%2E"),
        ("$.$", "%24%2E$"),
    ],
)
def test_only_dots_and_a_leading_dollar_are_escaped(sent: str, stored: str) -> None:
    assert stored_name(sent) == stored
    assert sent_name(stored) == sent


@given(SENT)
@example("%2")
@example("%.")
@example("%%2E.")
def test_every_name_is_returned_as_it_was_sent(sent: str) -> None:
    stored = stored_name(sent)

    assert sent_name(stored) == sent
    assert "." not in stored
    assert not stored.startswith("$")


@given(SENT, SENT)
def test_two_names_are_never_stored_as_one(one: str, other: str) -> None:
    assert (stored_name(one) == stored_name(other)) == (one == other)


def test_names_without_escapes_are_not_copied() -> None:
    fields = {"shirt size": "M"}

    assert as_sent(fields) is fields
    assert as_sent({"utm%2Esource": "x", "a": "b"}) == {"utm.source": "x", "a": "b"}
