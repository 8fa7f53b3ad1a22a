"""Taggings, items and answers: stored inside people, resources of their own to clients."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client
from tests.support.factories import by_email

PARENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "taggings": ("tags", {"name": "one"}),
    "items": ("lists", {"name": "one"}),
    "answers": ("questions", {"question_type": "SingleChoice", "responses": [{"key": "a"}, {"key": "b"}]}),
}
ENTRIES: dict[str, dict[str, Any]] = {
    "taggings": {"item_type": "osdi:person"},
    "items": {"item_type": "osdi:person"},
    "answers": {"responses": ["a"], "action_date": "2014-03-18T11:02:15Z"},
}
WORDS = {"taggings": "tagging", "items": "item", "answers": "answer"}


def href(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"])


@pytest.fixture
def jane(api: Client) -> dict[str, Any]:
    return api.follow(api.recorded(by_email("jane@example.com")), "osdi:person")


def link(person: dict[str, Any]) -> dict[str, Any]:
    return {"_links": {"osdi:person": {"href": href(person)}}}


@pytest.mark.parametrize("collection", PARENTS)
class TestEachKind:
    """The common behaviour of taggings, items and answers."""

    @pytest.fixture
    def parent(self, api: Client, collection: str) -> dict[str, Any]:
        path, body = PARENTS[collection]
        return api.created(f"/{path}", body)

    def post(self, api: Client, parent: dict[str, Any], collection: str, body: dict[str, Any]) -> dict[str, Any]:
        return api.created(parent["_links"][f"osdi:{collection}"]["href"], body)

    def test_a_posted_entry_is_returned_and_found(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str
    ) -> None:
        sent = ENTRIES[collection] | {"origin_system": "OpenSupporter", "identifiers": ["foreign_system:1"]}

        created = self.post(api, parent, collection, sent | link(jane))

        assert {name: created[name] for name in sent if name != "identifiers"} == {
            name: value for name, value in sent.items() if name != "identifiers"
        }
        assert created["identifiers"][1:] == ["foreign_system:1"]
        assert created["_links"]["osdi:person"]["href"] == href(jane)
        assert api.follow(created, f"osdi:{PARENTS[collection][0][:-1]}")["identifiers"] == parent["identifiers"]
        assert api.follow(created, "self") == created

    def test_both_collections_contain_it(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str, noise: list[dict[str, Any]]
    ) -> None:
        created = self.post(api, parent, collection, ENTRIES[collection] | link(jane))

        for holder in (parent, api.follow(jane, "self")):
            page = api.follow(holder, f"osdi:{collection}")
            assert page["_embedded"][f"osdi:{collection}"] == [created]
            assert page["total_records"] == 1

    def test_a_response_can_be_sent_back_with_strict_handling(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str
    ) -> None:
        created = self.post(api, parent, collection, ENTRIES[collection] | link(jane))

        response = api.put(href(created), created, headers={"Prefer": "handling=strict"})

        assert (response.status_code, response.json["_links"]) == (200, created["_links"])

    def test_put_and_delete(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str, database: Database
    ) -> None:
        created = self.post(api, parent, collection, ENTRIES[collection] | {"origin_system": "A"} | link(jane))

        changed = api.put(href(created), {"origin_system": "B"} | link(jane)).json
        cleared = api.put(href(created), {"origin_system": None}).json

        assert changed == created | {"origin_system": "B", "modified_date": changed["modified_date"]}
        assert "origin_system" not in cleared
        assert api.delete(href(created)).json == {"notice": f"This {WORDS[collection]} was successfully deleted."}
        assert api.get(href(created)).status_code == 404
        assert api.delete(href(created)).status_code == 404
        assert database.people.find_one()[collection] == []

    def test_a_change_of_an_older_version_is_rejected(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str
    ) -> None:
        address = href(self.post(api, parent, collection, ENTRIES[collection] | link(jane)))
        read = api.get(address).headers["ETag"]
        changed = api.put(address, {"origin_system": "B"}, headers={"If-Match": read})

        assert changed.status_code == 200
        assert changed.headers["ETag"] == api.get(address).headers["ETag"] != read
        assert api.put(address, {"origin_system": "C"}, headers={"If-Match": read}).status_code == 412
        assert api.delete(address, headers={"If-Match": read}).status_code == 412
        assert api.get(address).json["origin_system"] == "B"
        assert api.delete(address, headers={"If-Match": changed.headers["ETag"]}).status_code == 200

    def test_another_entry_of_the_person_does_not_change_its_etag(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str
    ) -> None:
        address = href(self.post(api, parent, collection, ENTRIES[collection] | link(jane)))
        read = api.get(address).headers["ETag"]

        api.put(href(jane), {"given_name": "Janet"})
        other = api.created("/tags", {"name": "other"})
        api.created(other["_links"]["osdi:taggings"]["href"], link(jane))

        assert api.put(address, {"origin_system": "B"}, headers={"If-Match": read}).status_code == 200

    def test_its_person_and_parent_can_be_expanded(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str, noise: list[dict[str, Any]]
    ) -> None:
        about = f"osdi:{PARENTS[collection][0][:-1]}"
        created = self.post(api, parent, collection, ENTRIES[collection] | link(jane))
        expected = {"osdi:person": api.follow(jane, "self"), about: api.follow(parent, "self")}
        query = f"?$expand=osdi:person,{about}"

        for page in (f"{href(parent)}/{collection}{query}", f"{href(jane)}/{collection}{query}"):
            assert api.get(page).json["_embedded"][f"osdi:{collection}"][0]["_embedded"] == expected
        assert api.get(href(created) + query).json == created | {"_embedded": expected}
        assert api.get(f"{href(created)}?$expand=osdi:outreaches").status_code == 400

    def test_a_helper_creates_it(self, api: Client, parent: dict[str, Any], collection: str) -> None:
        requested = {
            "taggings": {"add_tags_uri": [href(parent)]},
            "items": {"add_lists_uri": [href(parent)]},
            "answers": {"add_questions_responses_uri": [{"question": href(parent), "responses": ["a"]}]},
        }
        person = api.follow(api.recorded(factories.outreach(**requested[collection])), "osdi:person")

        (entry,) = api.follow(person, f"osdi:{collection}")["_embedded"][f"osdi:{collection}"]
        assert api.follow(entry, "self") == entry
        assert entry["_links"]["osdi:person"] == person["_links"]["self"]

    def test_pages_contain_each_entry_once_during_inserts_and_deletes(
        self, api: Client, parent: dict[str, Any], collection: str
    ) -> None:
        people = [api.follow(api.recorded(factories.outreach()), "osdi:person") for _ in range(5)]
        posted = [self.post(api, parent, collection, ENTRIES[collection] | link(person)) for person in people]

        page = api.get(f"{parent['_links'][f'osdi:{collection}']['href']}?per_page=2").json
        seen = list(page["_embedded"][f"osdi:{collection}"])
        api.delete(href(posted[0]))
        for _ in range(5):
            if "next" not in page["_links"]:
                break
            page = api.follow(page, "next")
            seen += page["_embedded"][f"osdi:{collection}"]

        assert [href(each) for each in seen] == [href(each) for each in posted]

    @pytest.mark.parametrize("person", [None, "nonsense", "https://x/api/v1/people/nobody"])
    def test_a_missing_person_is_rejected(
        self, api: Client, parent: dict[str, Any], collection: str, person: str | None
    ) -> None:
        body = ENTRIES[collection] | ({"_links": {"osdi:person": {"href": person}}} if person else {})

        response = api.post(parent["_links"][f"osdi:{collection}"]["href"], body)

        assert response.status_code == 400
        assert "_links.osdi:person" in response.json["error"]

    def test_an_unknown_parent_is_404(self, api: Client, jane: dict[str, Any], parent: Any, collection: str) -> None:
        path = f"/{PARENTS[collection][0]}/nothing/{collection}"

        assert api.get(path).status_code == 404
        assert api.post(path, ENTRIES[collection] | link(jane)).status_code == 404
        created = self.post(api, parent, collection, ENTRIES[collection] | link(jane))
        assert api.get(f"{path}/{href(created).rsplit('/', 1)[1]}").status_code == 404

    def test_a_token_is_needed(
        self, api: Client, jane: dict[str, Any], parent: dict[str, Any], collection: str
    ) -> None:
        address = parent["_links"][f"osdi:{collection}"]["href"]

        assert api.get(address, token=False).status_code == 401
        assert api.post(address, ENTRIES[collection] | link(jane), token=False).status_code == 401


@pytest.mark.parametrize("collection", ["taggings", "items"])
def test_a_person_has_a_tag_and_is_on_a_list_once(api: Client, jane: dict[str, Any], collection: str) -> None:
    path, body = PARENTS[collection]
    parent = api.created(f"/{path}", body)

    first, second = (api.created(f"{href(parent)}/{collection}", ENTRIES[collection] | link(jane)) for _ in range(2))

    assert first == second


def test_a_list_counts_its_items(api: Client, jane: dict[str, Any]) -> None:
    created = api.created("/lists", {"name": "one"})
    item = api.created(f"{href(created)}/items", link(jane))

    assert created["total_items"] == 0
    assert api.follow(created, "self")["total_items"] == 1
    api.delete(href(item))
    assert api.follow(created, "self")["total_items"] == 0


def test_a_person_may_answer_more_than_once(api: Client, jane: dict[str, Any]) -> None:
    question = api.created("/questions", PARENTS["answers"][1])
    for response in ("a", "b"):
        api.created(f"{href(question)}/answers", {"responses": response} | link(jane))

    page = api.follow(question, "osdi:answers")

    assert [each["responses"] for each in page["_embedded"]["osdi:answers"]] == [["a"], ["b"]]
    assert page["total_records"] == 2


def answers(api: Client, question: dict[str, Any]) -> tuple[int, int]:
    """Returns the total of a question's answers, and the number of those on its first page."""
    page = api.follow(question, "osdi:answers")
    return page["total_records"], len(page["_embedded"]["osdi:answers"])


def test_the_total_of_answers_follows_each_way_to_change_them(api: Client, jane: dict[str, Any]) -> None:
    one, other = (api.created("/questions", PARENTS["answers"][1]) for _ in range(2))

    def recorded(address: str, *responses: str) -> str:
        for response in responses:
            given = {"question": href(one), "responses": [response]}
            sent = by_email(address) | {"add_questions_responses_uri": [given]}
            recorded = api.recorded(sent)
        return str(recorded["_links"]["osdi:person"]["href"])

    recorded("jane@example.com", "a", "a", "b", "a")
    kim = recorded("kim@example.com", "b")
    assert answers(api, one) == (4, 4)
    posted = [api.created(f"{href(one)}/answers", {"responses": "a"} | link(jane)) for _ in range(2)]
    api.created(f"{href(other)}/answers", {"responses": "a"} | link(jane))
    assert (answers(api, one), answers(api, other)) == ((6, 6), (1, 1))
    # Of two equal answers in a row a merge keeps one; the order of Kim's depends on the second in which it came.
    assert api.post(f"{href(jane)}/merge", {"_links": {"osdi:person": {"href": kim}}}).status_code == 200
    assert answers(api, one) == (6, 6)
    api.put(href(posted[0]), {"responses": "b"})
    assert answers(api, one) == (6, 6)
    for each in api.follow(one, "osdi:answers")["_embedded"]["osdi:answers"][1:]:
        api.delete(href(each))
    assert (answers(api, one), answers(api, other)) == ((1, 1), (1, 1))
    api.delete(href(jane))
    assert (answers(api, one), answers(api, other)) == ((0, 0), (0, 0))


def test_a_person_who_has_one_answer_left_has_no_further_ones(
    api: Client, jane: dict[str, Any], database: Database
) -> None:
    question = api.created("/questions", PARENTS["answers"][1])
    _, second = (api.created(f"{href(question)}/answers", {"responses": "a"} | link(jane)) for _ in range(2))
    assert database.people.find_one()["further_answers"] == {href(question).rsplit("/", 1)[1]: 1}

    api.delete(href(second))

    assert "further_answers" not in database.people.find_one()


@pytest.mark.parametrize("body", [{"responses": ["c"]}, {"value": "a"}, {}, {"responses": ["a", "b"]}])
def test_an_answer_that_does_not_fit_its_question_is_rejected(
    api: Client, jane: dict[str, Any], body: dict[str, Any]
) -> None:
    question = api.created("/questions", PARENTS["answers"][1])
    good = api.created(f"{href(question)}/answers", {"responses": "a"} | link(jane))

    assert api.post(f"{href(question)}/answers", body | link(jane)).status_code == 400
    if body:
        changed = api.put(href(good), body)
        assert changed.status_code == 400
        assert "ANSWER_DOES_NOT_FIT" in changed.text or "RESPONSE_DOES_NOT_EXIST" in changed.text
    assert api.follow(good, "self") == good


def test_only_people_can_be_tagged(api: Client, jane: dict[str, Any]) -> None:
    tag = api.created("/tags", {"name": "one"})

    assert api.post(f"{href(tag)}/taggings", {"item_type": "osdi:event"} | link(jane)).status_code == 400


@pytest.mark.parametrize("collection", [*PARENTS, *(path for path, _ in PARENTS.values()), "messages", "wrappers"])
def test_an_error_names_the_resource(api: Client, jane: dict[str, Any], collection: str) -> None:
    path = f"/{collection}"
    if collection in PARENTS:
        parent, body = PARENTS[collection]
        path = api.created(f"/{parent}", body)["_links"][f"osdi:{collection}"]["href"]

    response = api.post(path, {"identifiers": 7})

    assert response.status_code == 400
    (status,) = response.json["osdi:error"]["resource_status"]
    named = WORDS.get(collection, collection[:-1])
    assert status["resource"] == f"osdi:{named}"


class TestBelowAPerson:
    """`/people/{id}/outreaches/{id}` and the like: the same resource as at its own URL."""

    @pytest.fixture
    def outreach(self, api: Client) -> dict[str, Any]:
        tag, list_ = (api.created(f"/{path}", {"name": "one"}) for path in ("tags", "lists"))
        question = api.created("/questions", {"question_type": "Paragraph"})
        body = by_email("jane@example.com") | {
            "add_tags_uri": [href(tag)],
            "add_lists_uri": [href(list_)],
            "add_questions_responses_uri": [{"question": href(question), "value": "Yes"}],
        }
        return api.recorded(body)

    @pytest.fixture
    def other(self, api: Client) -> dict[str, Any]:
        return api.follow(api.recorded(by_email("otto@example.com")), "osdi:person")

    @pytest.mark.parametrize("collection", ["outreaches", "taggings", "items", "answers"])
    def test_an_entry_can_be_read_below_its_person_only(
        self, api: Client, outreach: dict[str, Any], other: dict[str, Any], collection: str
    ) -> None:
        person = api.follow(outreach, "osdi:person")
        (entry,) = api.follow(person, f"osdi:{collection}")["_embedded"][f"osdi:{collection}"]
        below = f"/{collection}/{href(entry).rsplit('/', 1)[1]}"

        response = api.get(href(person) + below)

        assert response.json == entry
        assert response.headers["ETag"] == api.get(href(entry)).headers["ETag"]
        assert api.get(href(other) + below).status_code == 404
        assert api.get(f"{href(person)}/{collection}/none").status_code == 404
        assert api.get(f"/people/none{below}").status_code == 404
        assert api.get(href(person) + below, token=False).status_code == 401

    @pytest.mark.parametrize("collection", ["outreaches", "taggings", "items", "answers"])
    def test_its_person_can_be_expanded(self, api: Client, outreach: dict[str, Any], collection: str) -> None:
        person = api.follow(outreach, "osdi:person")
        (entry,) = api.follow(person, f"osdi:{collection}")["_embedded"][f"osdi:{collection}"]

        found = api.get(f"{href(person)}/{collection}/{href(entry).rsplit('/', 1)[1]}?$expand=osdi:person").json

        assert found["_embedded"]["osdi:person"] == person

    @pytest.mark.parametrize("rest", ["", "?$expand=osdi:person", "%0D%0AX-Injected%3A%201", "%3Fa%23b"])
    def test_below_a_merged_person_it_redirects(
        self, api: Client, outreach: dict[str, Any], other: dict[str, Any], rest: str
    ) -> None:
        person = api.follow(outreach, "osdi:person")
        api.created(f"{href(other)}/merge", link(person))
        below = f"/outreaches/{href(outreach).rsplit('/', 1)[1]}{rest}"

        response = api.get(href(person) + below)

        assert response.status_code == 301
        assert response.headers["Location"] == href(other) + below
        if "%" not in rest:
            assert api.get(response.headers["Location"]).json["_links"]["osdi:person"]["href"] == href(other)
