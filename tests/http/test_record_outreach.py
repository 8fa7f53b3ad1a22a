"""The Record Outreach Helper over HTTP, as its page describes it."""

from tests import factories
from tests.client import Client


def test_with_a_token_the_answer_is_the_whole_outreach(api: Client) -> None:
    answer = api.recorded(factories.outreach(identifiers=["foreign_system:1"], subject="Hello"))

    assert answer["identifiers"][1:] == ["foreign_system:1"]
    assert answer["subject"] == "Hello"
    assert answer["targets"] == [{"title": "Senator", "given_name": "John", "family_name": "Smith"}]


def test_without_a_token_the_answer_is_an_empty_object(api: Client) -> None:
    response = api.record(factories.outreach(), token=False)

    assert (response.status_code, response.data) == (200, b"{}")
