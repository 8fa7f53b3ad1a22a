"""Wrappers, and which of them a message has: the link that a body names, keeps or takes away."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client

STRICT = {"Prefer": "handling=strict"}


def href(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"])


def wrapped_by(address: str | None) -> dict[str, Any]:
    """A body that names the wrapper at an address, or none any more."""
    return {"_links": {"osdi:wrapper": {"href": address} if address is not None else None}}


@pytest.fixture
def wrapper(api: Client) -> dict[str, Any]:
    return api.created("/wrappers", {"name": "Letterhead", "header": "<p>The river</p>", "footer": "<p>1 Quay</p>"})


@pytest.fixture
def message(api: Client, wrapper: dict[str, Any]) -> dict[str, Any]:
    """A message that has the wrapper."""
    return api.created("/messages", factories.message(**wrapped_by(href(wrapper))))


def test_the_entry_point_lists_them(api: Client) -> None:
    assert api.get("/").json["_links"]["osdi:wrappers"]["href"].endswith("/wrappers")


def test_the_type_is_accepted_in_any_letter_case(api: Client) -> None:
    assert api.created("/wrappers", {"wrapper_type": "SMS"})["wrapper_type"] == "sms"


def test_they_are_filtered(api: Client, wrapper: dict[str, Any]) -> None:
    ours = api.created("/wrappers", {"wrapper_type": "sms", "default": True})

    page = api.get("/wrappers", query_string={"filter": "wrapper_type eq 'sms' and default eq true"}).json

    assert page["_embedded"]["osdi:wrappers"] == [ours]


class TestOfAMessage:
    """The link `osdi:wrapper` of messages."""

    def test_leads_to_the_wrapper(self, api: Client, wrapper: dict[str, Any], message: dict[str, Any]) -> None:
        assert api.follow(message, "osdi:wrapper") == wrapper
        assert api.follow(message, "self") == message
        assert api.get("/messages").json["_embedded"]["osdi:messages"] == [message]

    def test_is_not_there_without_one(self, api: Client) -> None:
        assert "osdi:wrapper" not in api.created("/messages", factories.message())["_links"]

    def test_is_returned_if_the_representation_is_declined(self, api: Client, wrapper: dict[str, Any]) -> None:
        body = wrapped_by(href(wrapper)) | {"osdi:control": {"return_response": False}}

        assert api.created("/messages", body)["_links"]["osdi:wrapper"] == {"href": href(wrapper)}

    def test_can_be_set_later(self, api: Client, wrapper: dict[str, Any]) -> None:
        message = api.created("/messages", factories.message())

        changed = api.put(href(message), wrapped_by(href(wrapper)))

        assert changed.json["_links"]["osdi:wrapper"] == {"href": href(wrapper)}
        assert api.follow(message, "self") == changed.json

    def test_can_be_moved(self, api: Client, message: dict[str, Any]) -> None:
        other = api.created("/wrappers", {"name": "Another"})

        api.put(href(message), wrapped_by(href(other)))

        assert api.follow(api.follow(message, "self"), "osdi:wrapper") == other

    @pytest.mark.parametrize("form", ["https://elsewhere.example.org/api/v1/wrappers/{id}", "/wrappers/{id}/?a=b#c"])
    def test_is_known_by_its_id(self, api: Client, wrapper: dict[str, Any], form: str) -> None:
        address = form.format(id=href(wrapper).rsplit("/", 1)[1])

        message = api.created("/messages", factories.message(**wrapped_by(address)))

        assert message["_links"]["osdi:wrapper"] == {"href": href(wrapper)}

    def test_is_removed_by_null(self, api: Client, database: Database, message: dict[str, Any]) -> None:
        changed = api.put(href(message), wrapped_by(None))

        assert (changed.status_code, "osdi:wrapper" in changed.json["_links"]) == (200, False)
        assert api.follow(message, "self") == changed.json
        assert "wrapper_id" not in database.messages.find_one()

    @pytest.mark.parametrize(
        "body",
        [
            {"subject": "Changed"},
            {"_links": {}},
            {"_links": None},
            {"_links": {"self": None, "osdi:creator": None}},
            {"name": "Another", "wrapper_id": None},
            {"name": "Another", "wrapper_id": "another"},
        ],
        ids=str,
    )
    def test_stays_where_a_put_does_not_name_it(
        self, api: Client, message: dict[str, Any], body: dict[str, Any]
    ) -> None:
        changed = api.put(href(message), body)

        assert (changed.status_code, changed.json["_links"]) == (200, message["_links"])

    @pytest.mark.parametrize("headers", [{}, STRICT], ids=["leniently", "strictly"])
    @pytest.mark.parametrize("has_wrapper", [True, False])
    def test_sent_back_as_it_was_read_changes_nothing(
        self, api: Client, message: dict[str, Any], has_wrapper: bool, headers: dict[str, str]
    ) -> None:
        if not has_wrapper:
            api.put(href(message), wrapped_by(None))
        read = api.get(href(message))
        body = {name: value for name, value in read.json.items() if name != "identifiers"}

        response = api.put(href(message), body, headers=dict(headers))

        assert (response.status_code, response.json) == (200, read.json)
        assert response.headers["ETag"] == read.headers["ETag"]

    def test_a_misspelled_link_is_rejected_with_strict_handling(self, api: Client, wrapper: dict[str, Any]) -> None:
        body = {"_links": {"wrapper": {"href": href(wrapper)}}}

        rejected = api.post("/messages", body, headers=dict(STRICT))

        assert (rejected.status_code, "_links.wrapper" in rejected.json["error"]) == (400, True)

    def test_is_added_by_posting_again(self, api: Client, wrapper: dict[str, Any]) -> None:
        first = api.created("/messages", {"identifiers": ["crm:1"], "subject": "Thank you"})

        again = api.created("/messages", {"identifiers": ["crm:1"], **wrapped_by(href(wrapper))})
        last = api.created("/messages", {"identifiers": ["crm:1"], "subject": "Thanks", **wrapped_by(None)})

        assert href(first) == href(again) == href(last)
        assert last["_links"]["osdi:wrapper"] == {"href": href(wrapper)}, "null says nothing in a POST"

    @pytest.mark.parametrize("address", ["/api/v1/wrappers/none", "/api/v1/wrappers/", "/api/v1/tags/{id}", "{id}"])
    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_has_to_lead_to_a_wrapper(
        self, api: Client, wrapper: dict[str, Any], message: dict[str, Any], method: str, address: str
    ) -> None:
        body = wrapped_by(address.format(id=href(wrapper).rsplit("/", 1)[1])) | {"subject": "Changed"}

        rejected = api.post("/messages", body) if method == "POST" else api.put(href(message), body)

        assert rejected.status_code == 400
        (status,) = rejected.json["osdi:error"]["resource_status"]
        assert status["resource"] == "osdi:message"
        assert status["error_descriptions"][0]["properties"] == ["_links.osdi:wrapper"]
        assert api.get("/messages").json["_embedded"]["osdi:messages"] == [message]

    def test_is_rejected_for_a_missing_message(self, api: Client, wrapper: dict[str, Any]) -> None:
        assert api.put("/messages/none", wrapped_by(href(wrapper))).status_code == 404


class TestDeleting:
    """Deleting a wrapper changes its messages."""

    def test_removes_it_from_its_messages(self, api: Client, wrapper: dict[str, Any], message: dict[str, Any]) -> None:
        before = api.get(href(message)).headers["ETag"]

        assert api.delete(href(wrapper)).status_code == 200

        after = api.get(href(message))
        kept = {name: value for name, value in message.items() if name not in ("_links", "modified_date")}
        assert {name: after.json[name] for name in kept} == kept
        assert "osdi:wrapper" not in after.json["_links"]
        assert after.headers["ETag"] != before
        assert api.put(href(message), after.json, headers=dict(STRICT)).json["_links"] == after.json["_links"]

    def test_leaves_other_messages_as_they_are(
        self, api: Client, wrapper: dict[str, Any], message: dict[str, Any]
    ) -> None:
        another = api.created("/wrappers", {"name": "Another"})
        others = [
            api.created("/messages", factories.message(**wrapped_by(href(another)))),
            api.created("/messages", factories.message()),
        ]

        api.delete(href(wrapper))

        assert [api.follow(each, "self") for each in others] == others

    def test_of_a_wrapper_that_was_changed_meanwhile_changes_no_message(
        self, api: Client, wrapper: dict[str, Any], message: dict[str, Any]
    ) -> None:
        rejected = api.delete(href(wrapper), headers={"If-Match": '"0"'})

        assert rejected.status_code == 412
        assert api.follow(message, "self") == message

    def test_that_ended_halfway_leaves_a_message_that_can_be_sent_back(
        self, api: Client, database: Database, wrapper: dict[str, Any], message: dict[str, Any]
    ) -> None:
        database.wrappers.delete_one({})  # as where the server died between the wrapper and its messages

        response = api.put(href(message), message | {"subject": "Changed"})

        assert (response.status_code, response.json["subject"]) == (200, "Changed")
        assert api.get(message["_links"]["osdi:wrapper"]["href"]).status_code == 404
        assert "osdi:wrapper" not in api.put(href(message), wrapped_by(None)).json["_links"]
