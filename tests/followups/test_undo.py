"""The undo of an unsubscribe brings back what that unsubscribe changed, and lifts no other opt-out."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.followups import undo as module
from osdi.followups.undo import undo, unsubscribe_with_undo
from osdi.followups.unsubscribe import link, mark_bouncing, signer, unsubscribe, unwanted
from osdi.match_keys import email_key
from osdi.people.opt_outs import UNCONFIRMED
from osdi.settings import Settings
from osdi.store import Store
from osdi.suppression.opt_outs import API, COMPLAINT, FILE, LINK, MAIL, ONE_CLICK, PULL
from osdi.suppression.suppression_list import suppression_list
from tests.support.client import Client
from tests.support.factories import RULES

JANE, KIM = "jane@example.com", "kim@example.com"


def person(api: Client, name: str, *entries: dict[str, Any]) -> str:
    """Creates a person and returns the href."""
    body = {"identifiers": [f"crm:{name}"], "given_name": name, "email_addresses": [*entries]}
    return str(api.created("/people", body)["_links"]["self"]["href"])


def shared(api: Client, name: str, *entries: dict[str, Any]) -> str:
    """Creates a person who has Jane's address too, which a post alone would match with Jane."""
    href = person(api, name, {"address": f"{name}@example.net"})
    assert api.put(href, {"email_addresses": [*entries]}).status_code == 200
    return href


def entries_of(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Returns the e-mail addresses of each person by given name, without `primary`."""
    return {
        each["given_name"]: [
            {name: value for name, value in entry.items() if name != "primary"} for entry in each["email_addresses"]
        ]
        for each in database.people.find()
    }


def opt_out(store: Store, source: str, address: str = JANE) -> None:
    suppression_list(store).change(email_key(address), add={MAIL: source})


def unsubscribed(store: Store, source: str = LINK) -> str:
    token = unsubscribe_with_undo(store, JANE, source, RULES)
    assert token is not None
    return token


@pytest.mark.parametrize("source", [LINK, ONE_CLICK])
@pytest.mark.parametrize("entry", [{}, {"status": "subscribed"}], ids=["no status", "subscribed"])
def test_each_person_gets_the_former_status(
    api: Client, store: Store, database: Database, entry: dict[str, str], source: str
) -> None:
    person(api, "jane", {"address": "Jane@Example.com", **entry}, {"address": "work@example.com"})
    shared(api, "kim", {"address": JANE, "status": "subscribed"}, {"address": KIM, "status": "unsubscribed"})
    before = entries_of(database)

    token = unsubscribed(store, source)
    assert {status for each in entries_of(database).values() for status in [each[0]["status"]]} == {"unsubscribed"}

    assert undo(store, token, RULES) == JANE
    assert entries_of(database) == before
    assert unwanted(store, JANE, RULES) is None
    assert unwanted(store, KIM, RULES) == "unsubscribed"


def test_an_address_that_no_person_has_gets_mail_again(api: Client, store: Store) -> None:
    assert undo(store, unsubscribed(store), RULES) == JANE

    assert unwanted(store, JANE, RULES) is None


def test_an_undo_can_be_repeated(api: Client, store: Store, database: Database) -> None:
    person(api, "jane", {"address": JANE})
    token = unsubscribed(store)
    undo(store, token, RULES)
    before = list(database.people.find()), list(database.suppressions.find())

    assert undo(store, token, RULES) == JANE
    assert (list(database.people.find()), list(database.suppressions.find())) == before


def test_the_history_of_the_suppression_list_has_both_changes(api: Client, store: Store) -> None:
    undo(store, unsubscribed(store), RULES)

    (entry,) = suppression_list(store).read([email_key(JANE)]).values()
    assert [(each["change"], each["source"]) for each in entry["history"]] == [("refused", LINK), ("lifted", LINK)]


@pytest.mark.parametrize(
    "opted_out",
    [
        pytest.param(lambda api, store: unsubscribe(store, JANE), id="by a link"),
        pytest.param(lambda api, store: opt_out(store, API), id="by a token"),
        pytest.param(lambda api, store: opt_out(store, COMPLAINT), id="by a spam complaint"),
        pytest.param(lambda api, store: mark_bouncing(store, JANE), id="by a bounce"),
        pytest.param(
            lambda api, store: shared(api, "kim", {"address": JANE, "status": "spam complaints"}), id="at a person"
        ),
    ],
)
def test_there_is_no_undo_after_an_earlier_opt_out(
    api: Client, store: Store, opted_out: Callable[[Client, Store], object]
) -> None:
    person(api, "jane", {"address": JANE, "status": "subscribed"})
    opted_out(api, store)

    assert unsubscribe_with_undo(store, JANE, LINK, RULES) is None
    assert unwanted(store, JANE, RULES) in ("unsubscribed", "spam_complaints")


def unsubscribe_again(api: Client, store: Store, href: str) -> None:
    undo(store, unsubscribed(store), RULES)
    unsubscribe(store, JANE)


def posted(status: str) -> Callable[[Client, Store, str], object]:
    """Returns a post with a token that states this status of Jane's address."""
    return lambda api, store, href: person(api, "jane", {"address": JANE, "status": status})


def unsubscribe_after_a_token(api: Client, store: Store, href: str) -> None:
    posted("unsubscribed")(api, store, href)
    assert api.delete(href).status_code == 200


def subscribe_and_opt_out(api: Client, store: Store, href: str) -> None:
    for status in ("subscribed", "unsubscribed"):
        assert api.put(href, {"email_addresses": [{"address": JANE, "status": status}]}).status_code == 200


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("later", "reason"),
    [
        pytest.param(lambda api, store, href: opt_out(store, COMPLAINT), "unsubscribed", id="complained"),
        pytest.param(
            lambda api, store, href: api.put(
                href, {"email_addresses": [{"address": JANE, "status": "spam complaints"}]}
            ),
            "spam_complaints",
            id="complained at the person",
        ),
        pytest.param(
            lambda api, store, href: shared(api, "kim", {"address": JANE, "status": "unsubscribed"}),
            "unsubscribed",
            id="opted out at another person",
        ),
        pytest.param(subscribe_and_opt_out, "unsubscribed", id="opted out with a token"),
        *(
            pytest.param(posted(status), status.replace(" ", "_") if "spam" in status else "unsubscribed", id=status)
            for status in ("unsubscribed", "bouncing", "spam complaints")
        ),
        pytest.param(
            lambda api, store, href: api.put(href, {"email_addresses": [{"address": JANE, "status": "unsubscribed"}]}),
            "unsubscribed",
            id="the same status by a PUT",
        ),
        pytest.param(lambda api, store, href: opt_out(store, FILE), "unsubscribed", id="imported"),
        pytest.param(lambda api, store, href: opt_out(store, PULL), "unsubscribed", id="pulled"),
        pytest.param(lambda api, store, href: mark_bouncing(store, JANE), "unsubscribed", id="bounced meanwhile"),
        pytest.param(unsubscribe_after_a_token, "unsubscribed", id="opted out by a token and deleted"),
        pytest.param(
            lambda api, store, href: (
                api.put(href, {"email_addresses": [{"address": JANE, "status": "subscribed"}]}),
                mark_bouncing(store, JANE),
            ),
            "bouncing",
            id="bounced",
        ),
    ],
)
def test_a_later_opt_out_stays(
    api: Client, store: Store, database: Database, later: Callable[[Client, Store, str], object], reason: str
) -> None:
    href = person(api, "jane", {"address": JANE, "status": "subscribed"})
    token = unsubscribed(store)
    later(api, store, href)
    before = list(database.people.find()), list(database.suppressions.find())

    assert undo(store, token, RULES) is None

    assert (list(database.people.find()), list(database.suppressions.find())) == before
    assert unwanted(store, JANE, RULES) == reason


def test_a_complaint_during_the_undo_stays(api: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    person(api, "jane", {"address": JANE})
    token = unsubscribed(store)
    restore = module._restore

    def complain_first(*arguments: Any) -> None:
        opt_out(store, COMPLAINT)
        restore(*arguments)

    monkeypatch.setattr(module, "_restore", complain_first)

    assert undo(store, token, RULES) is None
    assert unwanted(store, JANE, RULES) == "spam_complaints"


def test_an_old_undo_does_not_lift_a_second_unsubscribe(api: Client, store: Store, database: Database) -> None:
    person(api, "jane", {"address": JANE})
    first = unsubscribed(store)
    undo(store, first, RULES)
    second = unsubscribed(store)

    assert undo(store, first, RULES) is None
    assert unwanted(store, JANE, RULES) == "unsubscribed"
    assert undo(store, second, RULES) == JANE


def test_a_status_that_was_changed_meanwhile_is_kept(api: Client, store: Store, database: Database) -> None:
    href = person(api, "jane", {"address": JANE})
    token = unsubscribed(store)
    api.put(href, {"email_addresses": [{"address": JANE, "status": "subscribed"}]})

    assert undo(store, token, RULES) == JANE
    assert entries_of(database)["jane"] == [{"address": JANE, "status": "subscribed"}]


def test_an_undo_finds_the_survivor_of_a_merge(api: Client, store: Store, database: Database) -> None:
    hrefs = [person(api, "jane", {"address": JANE, "status": "subscribed"}), person(api, "other", {"address": KIM})]
    token = unsubscribed(store)
    gone, survivor = hrefs
    assert api.post(f"{survivor}/merge", {"_links": {"osdi:person": {"href": gone}}}).status_code == 200

    assert undo(store, token, RULES) == JANE

    (person_left,) = database.people.find()
    assert {each["address"]: each.get("status") for each in person_left["email_addresses"]} == {
        JANE: "subscribed",
        KIM: None,
    }


def test_a_deleted_person_does_not_prevent_the_undo(api: Client, store: Store, database: Database) -> None:
    href = person(api, "jane", {"address": JANE})
    token = unsubscribed(store)
    api.delete(href)

    assert undo(store, token, RULES) == JANE
    assert database.people.count_documents({}) == 0


def test_a_claim_of_a_post_without_a_token_is_a_claim_again(api: Client, store: Store, database: Database) -> None:
    """A token holder has subscribed the address at Jane; at Kim a post without a token has claimed an opt-out."""
    person(api, "jane", {"address": JANE, "status": "subscribed"})
    shared(api, "kim", {"address": JANE})
    claim = {"email_addresses.$.status": "unsubscribed", UNCONFIRMED: [f"status {email_key(JANE)}"]}
    database.people.update_one({"given_name": "kim", "email_addresses.address": JANE}, {"$set": claim})
    before = [{**each, "version": 0, "modified_date": 0} for each in database.people.find()]
    assert unwanted(store, JANE, RULES) is None
    token = unsubscribed(store)
    assert UNCONFIRMED not in (database.people.find_one({"given_name": "kim"}) or {})

    assert undo(store, token, RULES) == JANE

    assert [{**each, "version": 0, "modified_date": 0} for each in database.people.find()] == before
    assert unwanted(store, JANE, RULES) is None


def test_an_undo_is_an_update_with_a_new_version(api: Client, store: Store, database: Database) -> None:
    href = person(api, "jane", {"address": JANE})
    token = unsubscribed(store)
    before = api.get(href).headers["ETag"]

    undo(store, token, RULES)

    assert api.get(href).headers["ETag"] != before


def test_a_token_is_valid_for_a_day(api: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    token = unsubscribed(store)
    monkeypatch.setattr(module, "UNDO_SECONDS", -1)

    assert undo(store, token, RULES) is None
    assert unwanted(store, JANE, RULES) == "unsubscribed"


def test_no_other_token_is_an_undo(api: Client, store: Store) -> None:
    token = unsubscribed(store)
    link_token = link(signer(store), "", JANE).rpartition("/")[2]
    wrong = [
        *(link_token, token[:-1], f"x{token}", token.rpartition(".")[0]),
        *("", ".", "x", "%00", "😀.x", "x" * 99_999),
    ]

    assert [each for each in wrong if undo(store, each, RULES) is not None] == []
    assert unwanted(store, JANE, RULES) == "unsubscribed"


def test_an_address_of_very_many_people_has_no_undo(api: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PEOPLE", 1)
    person(api, "jane", {"address": JANE})
    shared(api, "kim", {"address": JANE})

    assert unsubscribe_with_undo(store, JANE, LINK, RULES) is None
    assert unwanted(store, JANE, RULES) == "unsubscribed"


def test_the_longest_token_fits_into_a_post_without_a_token(api: Client, store: Store) -> None:
    address = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.org"
    for number in range(2):
        shared(api, f"name{number}", {"address": address, "status": "subscribed"})
    of_nobody, of_two = (unsubscribe_with_undo(store, each, LINK, RULES) for each in ("x@example.org", address))
    assert of_nobody is not None
    assert of_two is not None

    for_one_person = (len(of_two) - len(of_nobody)) / 2
    assert for_one_person * module.MAX_PEOPLE < module.MAX_TOKEN_LENGTH < Settings.max_anonymous_body_bytes
