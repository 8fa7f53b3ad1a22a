"""POST /people/{id}/merge merges a duplicate into the survivor, and the duplicate's address leads to the survivor."""

import datetime as dt
from typing import Any

import pytest
from pymongo.database import Database

from osdi.people import merge
from osdi.people.merge import complete_next_merge
from osdi.privacy.erasure import resume_erasure
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES


def href(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"])


def id_of(address: str) -> str:
    return address.rsplit("/", 1)[1]


def linked(address: str) -> dict[str, Any]:
    return {"_links": {"osdi:person": {"href": address}}}


def person(api: Client, **fields: Any) -> str:
    """Creates a person; returns the address."""
    return href(api.created("/people", factories.person(**fields)))


def merged(api: Client, survivor: str, other: str) -> dict[str, Any]:
    """Merges the other person into the survivor; returns the survivor. Any error fails the test."""
    return api.created(f"/people/{id_of(survivor)}/merge", linked(other))


def outreaches(api: Client, address: str) -> list[str]:
    return [href(each) for each in api.get(f"{address}/outreaches").json["_embedded"]["osdi:outreaches"]]


@pytest.fixture
def two(api: Client) -> tuple[str, str]:
    """The addresses of a survivor and another person."""
    return person(api, email_addresses=[{"address": "a@example.com"}]), person(
        api, email_addresses=[{"address": "b@example.com", "status": "unsubscribed"}], identifiers=["crm:b"], source="b"
    )


class TestTheSurvivor:
    """The survivor has the data of both people."""

    def test_it_has_the_duplicates_fields_contacts_and_identifiers(self, api: Client, two: tuple[str, str]) -> None:
        found = merged(api, *two)

        assert href(found) == two[0]
        assert {**api.get(two[0]).json, **found} == api.get(two[0]).json
        assert found["source"] == "b"
        assert [(each["address"], each.get("status")) for each in found["email_addresses"]] == [
            ("a@example.com", None),
            ("b@example.com", "unsubscribed"),
        ]
        assert found["identifiers"] == [f"osdi_outreach:{id_of(each)}" for each in two] + ["crm:b"]

    @pytest.mark.parametrize(
        "known",
        [
            {"email_addresses": [{"address": "b@example.com"}]},
            {"identifiers": ["crm:b"]},
            {"identifiers": ["osdi_outreach:<other>"]},
        ],
    )
    def test_it_is_matched_by_keys_of_the_duplicate(
        self, api: Client, two: tuple[str, str], known: dict[str, Any]
    ) -> None:
        merged(api, *two)
        if known.get("identifiers") == ["osdi_outreach:<other>"]:
            known = {"identifiers": [f"osdi_outreach:{id_of(two[1])}"]}

        recorded = api.recorded(factories.outreach(person={"family_name": "Doe", **known}))

        assert recorded["_links"]["osdi:person"]["href"] == two[0]

    def test_it_keeps_the_servers_identifier_of_the_duplicate(self, api: Client, two: tuple[str, str]) -> None:
        found = merged(api, *two)

        changed = api.put(two[0], {"identifiers": found["identifiers"], "source": "c"})

        assert changed.json["identifiers"] == found["identifiers"]
        assert api.get(f"/people?filter=identifier eq 'osdi_outreach:{id_of(two[1])}'").json["total_records"] == 1

    def test_it_has_the_outreaches_of_both(self, api: Client, two: tuple[str, str], noise: list[dict]) -> None:
        path = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
        made = [href(api.created(path, {**linked(each), "targets": [{"title": "x"}]})) for each in (*two, *two)]

        merged(api, *two)

        assert outreaches(api, two[0]) == made
        assert {api.get(each).json["_links"]["osdi:person"]["href"] for each in made} == {two[0]}
        assert api.get(f"/advocacy_campaigns/{api.campaign_id}").json["total_outreaches"] == len(made) + len(noise)
        assert all("osdi:person" in each["_links"] for each in noise)

    def test_it_has_each_tagging_item_and_answer_once(self, api: Client, two: tuple[str, str]) -> None:
        tags = [href(api.created("/tags", {"name": name})) for name in ("a", "b")]
        question = href(api.created("/questions", {"question_type": "Paragraph"}))
        both = [href(api.created(f"{tags[0]}/taggings", linked(each))) for each in two]
        other = href(api.created(f"{tags[1]}/taggings", linked(two[1])))
        answers = [href(api.created(f"{question}/answers", {**linked(each), "value": each})) for each in two]

        found = merged(api, *two)

        def listed(name: str) -> list[str]:
            return [href(each) for each in api.follow(found, f"osdi:{name}")["_embedded"][f"osdi:{name}"]]

        assert listed("taggings") == [both[0], other]
        assert set(listed("answers")) == set(answers)
        assert api.get(other).json["_links"]["osdi:person"]["href"] == two[0]
        assert api.get(both[1]).status_code == 404

    def test_follow_ups_keep_their_state(self, api: Client, database: Database, two: tuple[str, str]) -> None:
        entry = {"_id": "f", "kind": "autoresponse", "state": "sent", "attempts": 2}
        made = api.recorded(factories.by_email("b@example.com"))
        database.outreaches.update_one({"_id": id_of(href(made))}, {"$set": {"followups": [entry]}})

        merged(api, *two)

        stored = database.outreaches.find_one({"_id": id_of(href(made))})
        assert (stored["followups"], stored["person_id"]) == ([entry], id_of(two[0]))

    def test_webhooks_receive_events(self, api: Client, database: Database, two: tuple[str, str]) -> None:
        events = ["person_updated", "unsubscribed"]
        api.created("/webhooks", {"url": "https://hooks.example.org/osdi", "events": events})

        merged(api, *two)

        stored = database.people.find_one({"_id": id_of(two[0])})
        assert [each["event"] for each in stored["webhook_events"]] == events

    def test_it_links_the_person_whose_token_merged(self, api: Client, store: Store, two: tuple[str, str]) -> None:
        editor = person(api)
        token = factories.token(store, person_id=id_of(editor))

        response = api.post(f"{two[0]}/merge", linked(two[1]), token=token)

        assert response.json["_links"]["osdi:modified_by"]["href"] == editor

    def test_it_cannot_exceed_the_size_limit(self, api: Client, database: Database, two: tuple[str, str]) -> None:
        for each in two:
            large = {f"custom_fields.{id_of(each)}": "x" * 600_000}
            database.people.update_one({"_id": id_of(each)}, {"$set": large})
        before = list(database.people.find())

        response = api.post(f"{two[0]}/merge", linked(two[1]))

        assert response.status_code == 413
        assert (list(database.people.find()), database.merged_people.count_documents({})) == (before, 0)


class TestTheDuplicate:
    """The duplicate is deleted, its copy is stored for thirty days, and its address leads to the survivor."""

    def test_a_copy_of_its_document_is_stored(self, api: Client, database: Database, two: tuple[str, str]) -> None:
        before = database.people.find_one({"_id": id_of(two[1])})

        merged(api, *two)

        (copy,) = database.merged_people.find()
        assert (copy["_id"], copy["survivor_id"], copy["person"]) == (id_of(two[1]), id_of(two[0]), before)
        assert dt.datetime.now(dt.UTC).replace(tzinfo=None) - copy["merged_date"] < dt.timedelta(minutes=1)
        assert database.people.count_documents({"_id": id_of(two[1])}) == 0

    def test_the_copy_is_stored_for_thirty_days(self, database: Database) -> None:
        indexes = database.merged_people.index_information().values()

        (ttl,) = [each for each in indexes if "expireAfterSeconds" in each]
        assert (ttl["key"], ttl["expireAfterSeconds"]) == ([("merged_date", 1)], 30 * 24 * 3600)

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("below", ["", "/outreaches", "/taggings", "/items", "/answers"])
    @pytest.mark.parametrize("query", ["", "?per_page=2&$expand=x%20y"])
    def test_its_address_redirects_to_the_survivor(
        self, api: Client, two: tuple[str, str], below: str, query: str
    ) -> None:
        merged(api, *two)

        response = api.get(f"{two[1]}{below}{query}")

        assert response.status_code == 301
        assert response.headers["Location"] == f"{two[0]}{below}{query}"
        assert response.json["osdi:error"]["response_code"] == 301

    def test_it_redirects_also_after_the_copy_is_deleted(
        self, api: Client, database: Database, two: tuple[str, str]
    ) -> None:
        merged(api, *two)
        database.merged_people.delete_many({})

        assert api.get(two[1]).headers["Location"] == two[0]

    def test_it_redirects_in_one_step_after_several_merges(
        self, api: Client, database: Database, two: tuple[str, str]
    ) -> None:
        last, first = two
        middle = person(api)
        merged(api, middle, first)
        merged(api, last, middle)

        assert [api.get(each).headers["Location"] for each in (first, middle)] == [last, last]
        assert {each["survivor_id"] for each in database.merged_people.find()} == {id_of(last)}
        assert len(api.get(last).json["identifiers"]) == 4

    def test_it_is_404_after_the_survivor_is_deleted(
        self, api: Client, database: Database, two: tuple[str, str]
    ) -> None:
        made = api.recorded(factories.by_email("b@example.com"))
        merged(api, *two)

        assert api.delete(two[0]).status_code == 200

        assert api.get(two[1]).status_code == 404
        assert "osdi:person" not in api.get(href(made)).json["_links"]
        assert list(database.merged_people.find()) == []

    def test_delete_by_the_old_address_is_rejected(self, api: Client, two: tuple[str, str]) -> None:
        merged(api, *two)

        response = api.delete(two[1])

        assert response.status_code == 409
        assert id_of(two[0]) in response.json["error"]
        assert api.get(two[0]).status_code == 200

    def test_put_by_the_old_address_changes_the_survivor(self, api: Client, two: tuple[str, str]) -> None:
        merged(api, *two)

        response = api.put(two[1], {"given_name": "Changed"})

        assert (response.status_code, href(response.json)) == (200, two[0])
        assert api.get(two[0]).json["given_name"] == "Changed"

    def test_if_match_with_the_old_address_is_rejected(self, api: Client, two: tuple[str, str]) -> None:
        merged(api, *two)
        current = api.get(two[0]).headers["ETag"]

        rejected = api.put(two[1], {"given_name": "Changed"}, headers={"If-Match": current})

        assert rejected.status_code == 412
        assert api.put(two[1], {"given_name": "Changed"}, headers={"If-Match": "*"}).status_code == 200

    def test_a_link_to_it_finds_the_survivor(self, api: Client, two: tuple[str, str]) -> None:
        merged(api, *two)
        tag = href(api.created("/tags", {"name": "a"}))

        tagging = api.created(f"{tag}/taggings", linked(two[1]))
        path = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
        outreach = api.created(path, {**linked(two[1]), "targets": [{"title": "x"}]})

        assert tagging["_links"]["osdi:person"]["href"] == two[0]
        assert outreach["_links"]["osdi:person"]["href"] == two[0]


class TestRepeatedMerge:
    """A repeated merge changes nothing, and a contradicting one is rejected."""

    def test_it_returns_the_survivor(self, api: Client, database: Database, two: tuple[str, str]) -> None:
        found = merged(api, *two)
        before = list(database.merged_people.find())

        assert merged(api, *two) == found
        assert merged(api, two[1], two[0]) == found, "the order of the two does not matter after the merge"
        assert list(database.merged_people.find()) == before

    def test_a_third_person_can_be_merged_by_the_old_address(self, api: Client, two: tuple[str, str]) -> None:
        merged(api, *two)
        third = person(api)

        assert href(merged(api, two[1], third)) == two[0]
        assert api.get(third).headers["Location"] == two[0]

    def test_a_person_merged_into_a_third_is_rejected(self, api: Client, two: tuple[str, str]) -> None:
        merged(api, *two)

        response = api.post(f"{person(api)}/merge", linked(two[1]))

        assert response.status_code == 409
        assert id_of(two[0]) in response.json["error"]

    @pytest.mark.parametrize(
        ("survivor", "body", "status"),
        [
            ("<first>", linked("/api/v1/people/<first>"), 400),
            ("<first>", linked("/api/v1/people/nobody"), 400),
            ("<first>", linked("/api/v1/tags/<second>"), 400),
            ("<first>", {}, 400),
            ("nobody", linked("/api/v1/people/<second>"), 404),
        ],
    )
    def test_a_missing_or_equal_person_is_rejected(
        self, api: Client, two: tuple[str, str], survivor: str, body: dict[str, Any], status: int
    ) -> None:
        def filled(text: str) -> str:
            return text.replace("<first>", id_of(two[0])).replace("<second>", id_of(two[1]))

        href_of = body.get("_links", {}).get("osdi:person", {}).get("href", "")
        response = api.post(f"/people/{filled(survivor)}/merge", linked(filled(href_of)) if body else {})

        assert response.status_code == status
        assert [api.get(each).status_code for each in two] == [200, 200]

    def test_a_read_token_cannot_merge(self, api: Client, store: Store, two: tuple[str, str]) -> None:
        token = factories.token(store, scopes=["read"])

        assert api.post(f"{two[0]}/merge", linked(two[1]), token=token).status_code == 403
        assert api.get("/people/duplicates", token=token).status_code == 200


class TestWhileOutreachesAreMoved:
    """Reads return outreaches that are not moved yet under the survivor."""

    @pytest.fixture
    def unmoved(self, api: Client, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
        """Returns the address of an outreach that still points at the duplicate."""
        made = href(api.recorded(factories.by_email("b@example.com")))
        monkeypatch.setattr(merge, "move_outreaches", lambda *_: 0)
        merged(api, *two)
        monkeypatch.undo()
        return made

    def test_they_are_listed_under_the_survivor(self, api: Client, two: tuple[str, str], unmoved: str) -> None:
        assert outreaches(api, two[0]) == [unmoved]
        expanded = api.get(f"{two[0]}?$expand=osdi:outreaches").json["_embedded"]["osdi:outreaches"]
        assert [href(each) for each in expanded] == [unmoved]

    def test_their_link_leads_to_the_survivor(self, api: Client, two: tuple[str, str], unmoved: str) -> None:
        assert api.get(api.get(unmoved).json["_links"]["osdi:person"]["href"]).headers["Location"] == two[0]
        assert href(api.get(f"{unmoved}?$expand=osdi:person").json["_embedded"]["osdi:person"]) == two[0]

    def test_the_index_serves_a_page_of_them(
        self, api: Client, database: Database, two: tuple[str, str], unmoved: str
    ) -> None:
        query = {"person_id": {"$in": [id_of(each) for each in two]}}
        plan = database.outreaches.find(query).sort("_id", 1).explain()["queryPlanner"]["winningPlan"]

        assert "SORT_MERGE" in str(plan)
        assert "COLLSCAN" not in str(plan)

    def test_a_repeated_merge_moves_them(self, api: Client, two: tuple[str, str], unmoved: str) -> None:
        merged(api, *two)

        assert api.get(unmoved).json["_links"]["osdi:person"]["href"] == two[0]

    def test_the_worker_moves_them_later(
        self, api: Client, store: Store, two: tuple[str, str], unmoved: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not complete_next_merge(store, RULES, resume_erasure), "another request may be inserting an outreach"
        monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))

        assert complete_next_merge(store, RULES, resume_erasure)

        assert api.get(unmoved).json["_links"]["osdi:person"]["href"] == two[0]
        assert not complete_next_merge(store, RULES, resume_erasure)

    def test_the_worker_forgets_them_where_the_survivor_was_deleted(
        self, api: Client, store: Store, database: Database, unmoved: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database.people.delete_many({})
        monkeypatch.setattr(merge, "SETTLED", dt.timedelta(seconds=-5))

        assert complete_next_merge(store, RULES, resume_erasure)

        assert "osdi:person" not in api.get(unmoved).json["_links"]
        assert not complete_next_merge(store, RULES, resume_erasure)

    def test_many_are_moved_in_batches(
        self, api: Client, database: Database, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.people.merged_people_store.BATCH", 2)
        for _ in range(5):
            api.recorded(factories.by_email("b@example.com"))

        merged(api, *two)

        stored = list(database.outreaches.find({"person_id": id_of(two[0])}))
        assert [each["moved_from_ids"] for each in stored] == [[id_of(two[1])]] * 5
        assert {each["version"] for each in stored} == {2}
