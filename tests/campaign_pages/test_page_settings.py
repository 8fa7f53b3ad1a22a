"""The settings of a campaign's page: each value that is accepted or rejected, null, and the campaign around them."""

from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.campaign_pages.page_settings import PageSettings
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

DEFAULTS = {
    "published": False,
    "slug": None,
    "language": None,
    "closes_at": None,
    "closed_message": "",
    "goal": None,
    "show_count_from": 25,
    "fields": [
        {"name": "given_name", "required": False},
        {"name": "family_name", "required": False},
        {"name": "email_address", "required": True},
        {"name": "postal_code", "required": False},
    ],
    "targets": {"selection": "all", "preselected": 0},
    "message": {"rule": "editable", "prompts": []},
    "consent": {"text": "", "list": None, "tag": None, "confirm_by_mail": False},
    "thank_you": {"text": "", "redirect_url": None},
    "privacy_url": None,
    "colour": None,
    "logo_url": None,
    "share": True,
}
# Each setting, with values that are accepted and returned as they were sent.
VALID: dict[str, list[Any]] = {
    "published": [True, False],
    "slug": ["a", "save-the-river", "2026", "a" * 80],
    "language": ["en", "es", "de", "fr"],
    "closed_message": ["The vote is over.", "Fluß\nzweite Zeile", "x" * 10_000],
    "goal": [1, 2_500, 2_147_483_647, "auto"],
    "show_count_from": [0, 1, 1_000],
    "fields": [
        [{"name": "given_name", "required": True}],
        [{"name": "email_address", "required": True, "label": "Your e-mail"}],
        [{"name": "phone_number", "required": False}, {"question": "crm:why", "required": True, "label": "Why?"}],
    ],
    "targets": [{"selection": "choose", "preselected": 3}, {"selection": "postal_code", "preselected": 0}],
    "message": [
        {"rule": "fixed", "prompts": []},
        {"rule": "prompts", "prompts": ["Why does the river matter to you?"]},
        {"rule": "prompts", "prompts": ["One?", "Two?", "Three?", "Four?"]},
    ],
    "consent": [
        {"text": "Yes, write to me.", "list": "newsletter", "tag": None, "confirm_by_mail": True},
        {"text": "Yes.", "list": None, "tag": "crm:supporter", "confirm_by_mail": False},
    ],
    "thank_you": [{"text": "Thank you!", "redirect_url": "https://example.org/donate?from=river"}],
    "privacy_url": ["https://example.org/privacy", "http://localhost:5000/privacy"],
    "colour": ["#0a6", "#00aa66", "#00AA66"],
    "logo_url": ["https://example.org/logo.svg"],
    "share": [True, False],
}
# Each value that is rejected, with the property that the error names.
INVALID: list[tuple[dict[str, Any], str]] = [
    ({"published": "perhaps"}, "published"),
    *(({"slug": slug}, "slug") for slug in ("", " ", "Save", "save the river", "save_river", "-a", "a.json", "../a")),
    *(({"slug": slug}, "slug") for slug in ("confirm", "assets", "a" * 81, "fluß", 5.5, ["a"])),
    *(({"language": language}, "language") for language in ("", "xx", "english", "de-AT", 5)),
    *(
        ({"closes_at": at}, "closes_at")
        for at in ("2027-06-30T23:59:59", "2027-06-30", "soon", "", 5, "2027-13-01T00:00Z")
    ),
    ({"closed_message": "x" * 10_001}, "closed_message"),
    ({"closed_message": "\x00"}, "closed_message"),
    ({"closed_message": {"a": 1}}, "closed_message"),
    *(({"goal": goal}, "goal") for goal in (0, -1, 1.5, "", "many", "AUTO", True, 2**31, [])),
    *(({"show_count_from": number}, "show_count_from") for number in (-1, 1.5, "some", True)),
    ({"fields": []}, "fields"),
    ({"fields": "email_address"}, "fields"),
    ({"fields": ["email_address"]}, "fields[0]"),
    ({"fields": [{"name": "shoe_size"}]}, "fields[0].name"),
    ({"fields": [{"required": True}]}, "fields[0]"),
    ({"fields": [{"name": "given_name", "question": "crm:why"}]}, "fields[0]"),
    ({"fields": [{"name": "given_name"}, {"name": "given_name", "label": "Again"}]}, "fields[1]"),
    ({"fields": [{"name": "given_name"}, *[{"question": "crm:why"}] * 2]}, "fields[2]"),
    ({"fields": [{"question": "crm:why"}]}, "fields"),
    ({"fields": [{"name": "given_name"}, {"question": "crm:nothing"}]}, "fields[1].question"),
    ({"fields": [{"name": "given_name", "label": "x" * 1_001}]}, "fields[0].label"),
    ({"fields": [{"name": "given_name", "required": "perhaps"}]}, "fields[0].required"),
    ({"fields": [{"name": "given_name"}, *({"question": f"crm:{number}"} for number in range(40))]}, "fields"),
    ({"targets": "all"}, "targets"),
    ({"targets": {"selection": "some"}}, "targets.selection"),
    ({"targets": {"preselected": -1}}, "targets.preselected"),
    ({"targets": {"preselected": 1_001}}, "targets.preselected"),
    ({"message": {"rule": "free"}}, "message.rule"),
    ({"message": {"rule": "prompts"}}, "message.prompts"),
    ({"message": {"rule": "prompts", "prompts": []}}, "message.prompts"),
    ({"message": {"rule": "prompts", "prompts": ["?"] * 5}}, "message.prompts"),
    ({"message": {"rule": "prompts", "prompts": [" "]}}, "message.prompts[0]"),
    ({"message": {"prompts": ["x" * 1_001]}}, "message.prompts[0]"),
    ({"consent": True}, "consent"),
    ({"consent": {"list": "no such list"}}, "consent.list"),
    ({"consent": {"tag": "no such tag"}}, "consent.tag"),
    ({"consent": {"text": "x" * 10_001}}, "consent.text"),
    ({"consent": {"confirm_by_mail": "perhaps"}}, "consent.confirm_by_mail"),
    *(
        (nested, where)
        for address in ("", "example.org", "http://example.org/", "javascript:alert(1)", "https://a@b.example/")
        for nested, where in (
            ({"thank_you": {"redirect_url": address}}, "thank_you.redirect_url"),
            ({"privacy_url": address}, "privacy_url"),
            ({"logo_url": address}, "logo_url"),
        )
    ),
    ({"privacy_url": "https://example.org/" + "a" * 2_000}, "privacy_url"),
    ({"thank_you": {"text": "x" * 10_001}}, "thank_you.text"),
    *(
        ({"colour": colour}, "colour")
        for colour in ("", "red", "#12", "#1234", "#12345g", "0a6", "#0a6;x", "#0a6\n}", "#00aa66ff")
    ),
    ({"share": "perhaps"}, "share"),
]


@pytest.fixture(scope="module")
def _stored() -> dict[str, dict[str, Any]]:
    """The documents of `_reference_data` by collection: inserting them again is cheaper than three posts."""
    return {}


@pytest.fixture(autouse=True)
def _reference_data(api: Client, database: Database, _stored: dict[str, dict[str, Any]]) -> None:
    """A list, a tag and a question, as the API stores them."""
    for collection, document in _stored.items():
        database[collection].insert_one(document)
    if not _stored:
        api.created("/lists", {"name": "newsletter"})
        api.created("/tags", {"name": "supporter", "identifiers": ["crm:supporter"]})
        api.created("/questions", {"title": "Why?", "identifiers": ["crm:why"], "question_type": "Paragraph"})
        _stored.update({name: database[name].find_one() or {} for name in ("lists", "tags", "questions")})


@pytest.fixture
def path(api: Client) -> str:
    return f"/advocacy_campaigns/{api.campaign_id}/page"


def shown(response: Any) -> dict[str, Any]:
    """Returns the settings in a response, without links."""
    assert response.status_code == 200, response.get_data(as_text=True)
    return {name: value for name, value in response.json.items() if name != "_links"}


def named(response: Any) -> list[str]:
    """Returns the properties that an error names."""
    descriptions = response.json["osdi:error"]["resource_status"][0]["error_descriptions"]
    return [name for each in descriptions for name in each.get("properties", ())]


def test_a_campaign_without_settings_has_the_defaults(api: Client, path: str) -> None:
    assert shown(api.get(path)) == DEFAULTS


def test_every_setting_has_valid_values_here(api: Client) -> None:
    assert VALID.keys() | {"closes_at"} == DEFAULTS.keys()
    assert {next(iter(body)) for body, _ in INVALID} == DEFAULTS.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in VALID.items() for value in values],
    ids=[f"{name}-{number}" for name, values in VALID.items() for number, _ in enumerate(values)],
)
def test_a_valid_value_is_stored_and_nothing_else_changes(api: Client, path: str, name: str, value: Any) -> None:
    expected = DEFAULTS | {name: value}
    if name == "published" and value:
        expected["slug"] = "protect-the-river"

    assert shown(api.put(path, {name: value})) == expected
    assert shown(api.get(path)) == expected


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2027-06-30T23:59:59+02:00", "2027-06-30T21:59:59Z"),
        ("2027-06-30T23:59:59Z", "2027-06-30T23:59:59Z"),
        ("2027-06-30 23:59:59 -0430", "2027-07-01T04:29:59Z"),
        ("2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00Z"),
    ],
)
def test_the_closing_date_is_shown_in_utc(api: Client, path: str, sent: str, stored: str) -> None:
    assert shown(api.put(path, {"closes_at": sent}))["closes_at"] == stored


@pytest.mark.parametrize(
    ("body", "where"), INVALID, ids=[f"{where}-{number}" for number, (_, where) in enumerate(INVALID)]
)
def test_an_invalid_value_is_rejected_by_its_name_and_changes_nothing(
    api: Client, path: str, body: dict[str, Any], where: str
) -> None:
    response = api.put(path, body | {"published": body.get("published", True)})

    assert response.status_code == 400
    assert named(response) == [where]
    assert shown(api.get(path)) == DEFAULTS


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_null_restores_a_default(api: Client, path: str, name: str, database: Database) -> None:
    values = {**{each: values[-1] for each, values in VALID.items()}, "closes_at": "2027-06-30T21:59:59Z"}
    before = shown(api.put(path, values))
    assert before[name] == values[name]

    assert shown(api.put(path, {name: None})) == before | {name: DEFAULTS[name]}
    assert name not in database.advocacy_campaigns.find_one({"_id": api.campaign_id})["page"]


@pytest.mark.parametrize(
    ("setting", "name"),
    [(setting, name) for setting in ("targets", "message", "consent", "thank_you") for name in DEFAULTS[setting]],
)
def test_null_inside_an_object_restores_that_default_only(api: Client, path: str, setting: str, name: str) -> None:
    values = {
        "targets": {"selection": "choose", "preselected": 3},
        "message": {"rule": "fixed", "prompts": ["Why?"]},
        "consent": {"text": "Yes.", "list": "newsletter", "tag": "crm:supporter", "confirm_by_mail": True},
        "thank_you": {"text": "Thanks", "redirect_url": "https://example.org/"},
    }
    shown(api.put(path, values))

    changed = shown(api.put(path, {setting: {name: None}}))

    assert changed == DEFAULTS | values | {setting: values[setting] | {name: DEFAULTS[setting][name]}}


def test_an_object_changes_by_name_and_an_array_is_replaced(api: Client, path: str) -> None:
    api.put(path, {"consent": {"text": "Yes.", "list": "newsletter"}, "fields": VALID["fields"][2]})

    changed = shown(api.put(path, {"consent": {"text": "Yes, please."}, "fields": VALID["fields"][0]}))

    assert changed["consent"] == DEFAULTS["consent"] | {"text": "Yes, please.", "list": "newsletter"}
    assert changed["fields"] == VALID["fields"][0]


def test_prompts_may_be_stored_before_the_rule(api: Client, path: str) -> None:
    api.put(path, {"message": {"prompts": ["Why?"]}})

    assert api.put(path, {"message": {"rule": "prompts"}}).status_code == 200
    assert named(api.put(path, {"message": {"prompts": None}})) == ["message.prompts"]


def test_a_response_can_be_sent_back(api: Client, path: str, database: Database) -> None:
    sent = {**{each: values[-1] for each, values in VALID.items()}, "closes_at": "2027-06-30T21:59:59Z"}
    before = api.put(path, sent).json
    stored = database.advocacy_campaigns.find_one({"_id": api.campaign_id})

    response = api.put(path, before, headers={"Prefer": "handling=strict"})

    assert shown(response) == {name: value for name, value in before.items() if name != "_links"}
    assert PageSettings.of(database.advocacy_campaigns.find_one({"_id": api.campaign_id})) == PageSettings.of(stored)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"colours": "#0a6"}, "colours"),
        ({"consent": {"words": "Yes."}}, "consent.words"),
        ({"fields": [{"name": "given_name", "size": 3}]}, "fields[0].size"),
    ],
)
def test_an_unknown_property_is_ignored_or_with_strict_handling_rejected(
    api: Client, path: str, body: dict[str, Any], where: str
) -> None:
    assert api.put(path, body).status_code == 200

    response = api.put(path, body, headers={"Prefer": "handling=strict"})

    assert (response.status_code, named(response)) == (400, [where])


@pytest.mark.parametrize("body", ["text", [], 5, None])
def test_a_body_that_is_no_object_is_rejected(api: Client, path: str, body: Any) -> None:
    assert api.put(path, body).status_code == 400


def test_a_change_needs_the_present_version_if_the_client_names_one(api: Client, path: str) -> None:
    first = api.get(path).headers["ETag"]
    changed = api.put(path, {"colour": "#0a6"}, headers={"If-Match": first})

    assert changed.headers["ETag"] == api.get(f"/advocacy_campaigns/{api.campaign_id}").headers["ETag"] != first
    assert api.put(path, {"colour": "#0a7"}, headers={"If-Match": first}).status_code == 412
    assert shown(api.get(path))["colour"] == "#0a6"


def test_a_body_without_a_setting_changes_nothing(api: Client, path: str) -> None:
    before = api.get(path).headers["ETag"]

    assert api.put(path, {}).headers["ETag"] == before


@pytest.mark.parametrize("method", ["get", "put"])
def test_an_unknown_campaign_has_no_settings(api: Client, method: str) -> None:
    options = {"body": {}} if method == "put" else {}

    assert getattr(api, method)("/advocacy_campaigns/none/page", **options).status_code == 404


class TestScopes:
    @pytest.mark.parametrize(
        ("scopes", "get", "put"),
        [(("read",), 200, 403), (("write",), 403, 200), (("read", "write"), 200, 200)],
    )
    def test_reading_needs_read_and_changing_needs_write(
        self, api: Client, path: str, store: Store, scopes: tuple[str, ...], get: int, put: int
    ) -> None:
        secret = factories.token(store, scopes=list(scopes))

        assert api.get(path, token=secret).status_code == get
        assert api.put(path, {"share": False}, token=secret).status_code == put

    def test_a_token_without_read_sees_only_links(self, api: Client, path: str, store: Store) -> None:
        secret = factories.token(store, scopes=["write"])

        assert set(api.put(path, {"share": False}, token=secret).json) == {"_links"}

    def test_a_campaign_scoped_token_reads_the_settings_of_its_campaign_only(
        self, api: Client, path: str, store: Store
    ) -> None:
        other = api.created("/advocacy_campaigns", {"title": "Other"})["_links"]["osdi_outreach:page"]["href"]
        secret = factories.token(store, advocacy_campaign_id=api.campaign_id)

        assert api.get(path, token=secret).status_code == 200
        assert api.get(other, token=secret).status_code == 403
        assert api.put(path, {"share": False}, token=secret).status_code == 403


class TestCampaignAround:
    def test_the_campaigns_body_has_no_settings(self, api: Client, path: str) -> None:
        shown(api.put(path, {"published": True, "consent": {"text": "Yes."}}))

        assert "page" not in api.get(f"/advocacy_campaigns/{api.campaign_id}").json

    def test_a_posted_or_put_campaign_cannot_set_them(self, api: Client, path: str) -> None:
        api.put(f"/advocacy_campaigns/{api.campaign_id}", {"title": "New", "page": {"published": True}})
        created = api.created("/advocacy_campaigns", {"title": "Other", "page": {"published": True}})

        assert shown(api.get(path)) == DEFAULTS
        assert shown(api.get(created["_links"]["osdi_outreach:page"]["href"])) == DEFAULTS

    def test_a_changed_campaign_keeps_them(self, api: Client, path: str) -> None:
        before = shown(api.put(path, {"published": True, "goal": 100}))

        api.put(f"/advocacy_campaigns/{api.campaign_id}", {"title": "New title"})

        assert shown(api.get(path)) == before

    def test_the_links_lead_from_the_campaign_to_settings_and_page_and_back(self, api: Client, path: str) -> None:
        campaign = api.get(f"/advocacy_campaigns/{api.campaign_id}").json
        settings = api.follow(campaign, "osdi_outreach:page")

        assert api.follow(settings, "osdi:advocacy_campaign") == campaign
        assert "alternate" not in campaign["_links"] | settings["_links"]

        published = api.put(path, {"published": True}).json
        campaign = api.get(f"/advocacy_campaigns/{api.campaign_id}").json

        assert campaign["_links"]["alternate"] == published["_links"]["alternate"]
        assert campaign["_links"]["alternate"] == {
            "href": "http://localhost/act/protect-the-river",
            "type": "text/html",
        }
        assert api.http.get(campaign["_links"]["alternate"]["href"]).status_code == 200

    def test_the_relation_has_a_page_of_documentation(self, app: Flask) -> None:
        page = app.test_client().get("/docs/v1/page")

        assert page.status_code == 200
        assert "closes_at" in page.get_data(as_text=True)
