"""Settings come from the environment only, and one message names all invalid ones."""

import ast
from dataclasses import Field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from environs import EnvValidationError

from dev.settings_page import PAGE, page
from osdi.settings import Settings, table
from osdi.settings.table import Group, ServerSettings, declaration, read
from osdi.settings.validators import BODY_FIELDS
from schemas.outreach import PersonSignupHelperSchema, RecordOutreachHelperSchema

ROOT = Path(__file__).parents[1]
ALL: dict[str, Field[Any]] = {each.name.upper(): each for table in (ServerSettings, Settings) for each in fields(table)}
# These accept every text, and so do not appear in the table of values.
FREE_TEXT = {"MOTD", "PRODUCT_NAME"}

# These need each other.
TOGETHER = {"OIDC_ISSUER": "https://id.example.org", "OIDC_CLIENT_ID": "river", "OIDC_CLIENT_SECRET": "secret"}

RATES = (["10/second", "120/minute;2000/hour", ""], ["many", "0.5/hour", "10/fortnight"])
SECONDS = (["0.1", "2.5", "600"], ["0", "601", "soon"])
BOOLEANS = (["true", "false", "1", "0"], ["perhaps", "2", ""])
HOURS = (["0", "0.5", "8784"], ["-1", "8785", "never"])
URLS = (
    ["", "http://localhost:8080", "https://gateway.example.org/send?key=1"],
    ["gateway.example.org", "ftp://gateway.example.org", "https://bücher.example"],
)
WEB_ADDRESSES = (
    ["", "http://localhost:8080/a.svg", "https://example.org/privacy?lang=en#mail"],
    [
        "example.org",
        "//example.org/a.svg",
        "/a.svg",
        "ftp://example.org",
        "javascript:alert(1)",
        "https://bücher.example",
    ],
)
MAILBOXES = (
    ["", "hello@example.org", "Our Name <hello@example.org>"],
    ["Our Name", "hello@", "a@example.org, b@example.org", "Name <hello@example.org>\nBcc: x@example.org"],
)

# Values that are just accepted, and values that are just not.
VALUES: dict[str, tuple[list[str], list[str]]] = {
    "HOST": (["127.0.0.1", "[::]"], [""]),
    "PORT": (["1", "65535"], ["0", "65536", "http"]),
    "WEB_CONCURRENCY": (["1", "64"], ["0", "-1", "two"]),
    "WEB_THREADS": (["1", "64"], ["0", "1.5"]),
    "HEAD_SECONDS": SECONDS,
    "BODY_SECONDS": SECONDS,
    "SILENCE_SECONDS": SECONDS,
    "MONGODB_URI": (
        [
            "mongodb://h/osdi",
            "mongodb+srv://u:p@cluster.example.net/osdi?retryWrites=true&w=majority",
            "mongomock://",
        ],
        ["", "localhost", "mongodb://host:99999", "postgres://h/osdi"],
    ),
    "NAMESPACE": (["a", "action_network", "a" * 50], ["", "a" * 51, "1a", "Our", "our-name", "our\n"]),
    "PUBLIC_URL": (
        ["", "https://osdi.example.org", "http://localhost:5000", "https://example.org/osdi"],
        [
            *("osdi.example.org", "ftp://example.org", "https://bücher.example"),
            *("https://example.org?", "https://example.org/?a=b", "https://example.org#", "https://example.org/#top"),
            *("https://user:hunter2@example.org", "https://user@example.org"),
        ],
    ),
    "TRUSTED_PROXIES": (["0", "10"], ["-1", "11"]),
    "CORS_ORIGINS": (
        [
            *(
                "",
                "*",
                "https://a.example.org",
                "http://localhost:8080",
                "https://a.example.org, https://b.example.org",
            ),
            *("http://[::1]:3000", "capacitor://localhost"),
        ],
        [
            *("https://a.example.org/", "https://a.example.org/page", "https://*.example.org", "*.example.org"),
            *("a.example.org", "https://a.example.org,", "https://A.example.org", "https://u:p@a.example.org"),
            *(
                "*, https://a.example.org",
                "https://a.example.org?",
                "https://a.example.org#",
                "https://a b.example.org",
            ),
        ],
    ),
    "CAMPAIGN_LIST": BOOLEANS,
    "LANGUAGE": (["en", "de", "en-XA", "ar-XB"], ["", "English", "DE", "de-DE", "xx", "de,en"]),
    # The sign-in mails of staff have it in their subject.
    "VENDOR_NAME": (
        ["", " Ünï, $x 'y' ", "x" * 300, "=?utf-8?q?x?="],
        ["A\nB", "A\r\nBcc: b", "A\u2028B", "A\x85B", "A\x0bB"],
    ),
    "LOGO_URL": WEB_ADDRESSES,
    "PRIVACY_URL": WEB_ADDRESSES,
    "ANONYMOUS_POSTS": BOOLEANS,
    "ANONYMOUS_ACTIONS": (["", "tags", "tags, lists,answers , triggers"], ["everything", "tags,everything", "tags,"]),
    "HONEYPOT_FIELD": (["", "website", "x" * 100, "given_name"], ["person", "type", "add_tags", "_links", "x" * 101]),
    "TRUST_ANONYMOUS_IDENTIFIERS": BOOLEANS,
    "FORM_SECONDS": (["0", "2.5"], ["-1", "61", "soon"]),
    "RATE_LIMIT_ANONYMOUS": RATES,
    "RATE_LIMIT_TOKEN": RATES,
    "RATE_LIMIT_CONTACT": RATES,
    "RATE_LIMIT_MAIL": RATES,
    "RATE_LIMIT_PHONE": RATES,
    "RATE_LIMIT_MAIL_ADDRESS": RATES,
    "OIDC_ISSUER": (
        ["", "https://accounts.google.com", "https://id.example.org/realms/river", "http://127.0.0.1:8080"],
        [
            *(
                "accounts.google.com",
                "http://id.example.org",
                "ftp://id.example.org",
                "https://user:hunter2@example.org",
            ),
            *("https://id.example.org/?a=b", "https://id.example.org/#a", "https://bücher.example"),
        ],
    ),
    "OIDC_CLIENT_ID": (["", "river", "x" * 500], ["x" * 501, "rivér", "a\nb"]),
    "OIDC_CLIENT_SECRET": (["", "s3cret +/=", "x" * 500], ["x" * 501, "hunter2é"]),
    "OIDC_HOSTED_DOMAIN": (
        ["", "example.org", "a.b-c.example.org"],
        ["Example.org", "example", "@example.org", "a..b"],
    ),
    "RATE_LIMIT_STORAGE": (["", "memory", "mongodb"], ["redis"]),
    "RATE_LIMIT_ANONYMOUS_BYTES": RATES,
    "MAX_ANONYMOUS_BODY_BYTES": (["1000", "10000000"], ["999", "10000001"]),
    "MAX_BODY_BYTES": (["1000", "10000000"], ["999", "10000001"]),
    "PER_PAGE": (["1", "1000"], ["0", "1001", "many"]),
    "MAX_PAGESIZE": (["1", "1000"], ["0", "1001"]),
    "PHONE_REGION": (["", "US", "GB"], ["UK", "us", "usa", "ZZ", "001", "EU"]),
    "CACHE_SECONDS": (["0", "300"], ["-0.1", "300.1"]),
    "REPEAT_SECONDS": (["0", "3600"], ["-1", "3601", "ten"]),
    "SMTP_URL": (
        ["", "smtp://user:password@mail.example.org:587", "smtps://mail.example.org"],
        ["mail.example.org", "http://user:hunter2@mail.example.org", "smtp://user:hunter2@mail.example.org:99999"],
    ),
    "MAIL_FROM": MAILBOXES,
    "BOUNCE_ADDRESS": MAILBOXES,
    "SMS_GATEWAY_URL": URLS,
    "CALL_GATEWAY_URL": URLS,
    "PHONE_COUNTRIES": (["", "US", "US, CA", "*"], ["UK", "us", "US,", "US,ZZ", "*,US"]),
    "GATEWAY_SECRET": (["", "whsec_" + "A" * 32], ["whsec_", "secret", "whsec_" + "A" * 28]),
    "TIME_ZONE": (
        ["UTC", "America/New_York", "Asia/Kolkata", "Etc/GMT+5"],
        ["", "EDT", "America/Riverton", "+05:00", "../../etc/passwd", "/etc/localtime", "America"],
    ),
    "FOLLOWUP_INTERVAL_HOURS": HOURS,
    "FOLLOWUP_LEASE_SECONDS": (["1", "3600"], ["0.9", "3601"]),
    "FOLLOWUP_GIVE_UP_HOURS": HOURS,
    "WEBHOOK_GIVE_UP_HOURS": HOURS,
    "WEBHOOK_NETWORKS": (
        ["", "10.0.0.0/8, ::1/128", "127.0.0.1"],
        ["10.0.0.1/8", "10.0.0.0/33", "localhost", "10.0.0.0/8,"],
    ),
    "RATE_LIMIT_SIGN_IN": RATES,
    "MAX_IMPORT_BYTES": (["1000", "200000000"], ["999", "200000001", "50 MB"]),
    "IMPORT_DAYS": (["1", "90"], ["0", "91", "0.5"]),
    "STAFF_EVENT_DAYS": (["1", "36500"], ["0", "36501", "0.5"]),
    "RETAIN_MESSAGE_DAYS": (["0", "36500"], ["-1", "36501", "0.5"]),
    "METRICS_TOKEN": (["", "x" * 16, "x" * 200], ["x" * 15, "x" * 201, "sixteen letters and spaces", "ü" * 16]),
    "LOG_FORMAT": (["", "json", "console"], ["xml", "JSON"]),
    "LOG_LEVEL": (["debug", "error"], ["", "loud", "INFO"]),
    "LOG_ADDRESSES": BOOLEANS,
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ALL:
        monkeypatch.delenv(name, raising=False)


def test_defaults_need_no_environment() -> None:
    assert Settings.from_environment() == Settings(rate_limit_storage="mongodb")
    assert read(ServerSettings) == ServerSettings()


@pytest.mark.parametrize(
    ("processes", "storage", "used"),
    [("1", "", "memory"), ("2", "", "mongodb"), ("8", "memory", "memory"), ("1", "mongodb", "mongodb")],
)
def test_several_processes_share_their_counts_by_default(
    monkeypatch: pytest.MonkeyPatch, processes: str, storage: str, used: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", processes)
    monkeypatch.setenv("RATE_LIMIT_STORAGE", storage)

    assert Settings.from_environment().rate_limit_storage == used


def test_every_setting_that_rejects_some_text_is_in_the_table_of_values() -> None:
    assert set(VALUES) == set(ALL) - FREE_TEXT


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (valid, _) in VALUES.items() for value in valid])
def test_a_valid_value_is_accepted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for each, other in (TOGETHER if name in TOGETHER and value else {name: value}).items():
        monkeypatch.setenv(each, value if each == name else other)

    Settings.from_environment()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (_, wrong) in VALUES.items() for value in wrong])
def test_the_message_names_an_invalid_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(EnvValidationError) as caught:
        Settings.from_environment()

    assert set(caught.value.error_messages) == {name}
    assert all(len(str(each)) > 10 for each in caught.value.error_messages[name])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", TOGETHER)
def test_the_message_names_the_settings_that_another_one_needs(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, TOGETHER[name])

    with pytest.raises(EnvValidationError) as caught:
        Settings.from_environment()

    assert set(caught.value.error_messages) == set(TOGETHER) - {name}
    assert TOGETHER[name] not in str(caught.value)


@pytest.mark.parametrize("text", sorted(FREE_TEXT))
def test_a_text_setting_accepts_any_text(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(text, " Ünï, $x 'y' ")

    assert getattr(Settings.from_environment(), text.lower()) == " Ünï, $x 'y' "


def test_values_have_the_types_of_the_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "PUBLIC_URL": "https://osdi.example.org/",
        "CORS_ORIGINS": "https://a.example.org, https://b.example.org",
        "ANONYMOUS_ACTIONS": "tags, lists",
        "WEBHOOK_NETWORKS": "10.0.0.0/8, ::1/128",
        "PER_PAGE": "7",
        "CACHE_SECONDS": "1.5",
        "ANONYMOUS_POSTS": "false",
        "PHONE_REGION": "US",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)

    settings = Settings.from_environment()

    assert settings == Settings(
        public_url="https://osdi.example.org",
        cors_origins=("https://a.example.org", "https://b.example.org"),
        anonymous_actions=("tags", "lists"),
        webhook_networks=(ip_network("10.0.0.0/8"), ip_network("::1/128")),
        per_page=7,
        cache_seconds=1.5,
        anonymous_posts=False,
        phone_region="US",
        rate_limit_storage="mongodb",
    )


def test_an_empty_list_has_no_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANONYMOUS_ACTIONS", "")
    monkeypatch.setenv("CORS_ORIGINS", "")

    settings = Settings.from_environment()

    assert (settings.anonymous_actions, settings.cors_origins) == ((), ())


def test_one_message_names_every_invalid_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message includes settings of gunicorn, since `release` runs before `web`."""
    for name, (_, wrong) in VALUES.items():
        monkeypatch.setenv(name, wrong[-1])

    with pytest.raises(EnvValidationError) as caught:
        Settings.from_environment()

    assert set(caught.value.error_messages) == set(VALUES)
    assert all(f"\n  {name}: " in str(caught.value) for name in VALUES)


def test_every_invalid_item_of_a_list_has_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_NETWORKS", "here,10.0.0.0/8,there")

    with pytest.raises(EnvValidationError, match=r"'here' is no network.*'there' is no network"):
        Settings.from_environment()


def test_a_honeypot_cannot_have_the_name_of_a_field_that_a_helper_reads() -> None:
    schemas = RecordOutreachHelperSchema(), PersonSignupHelperSchema()
    names = {each.data_key or name for schema in schemas for name, each in schema.fields.items()}

    assert names == BODY_FIELDS


def test_the_committed_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_setting_has_a_readable_type_and_a_description() -> None:
    for each in ALL.values():
        declared = declaration(each)
        assert each.type in (str, int, float, bool) or declared.item
        assert declared.group in Group
        assert declared.description.endswith(".")
        assert "\n" not in declared.description


def test_the_table_imports_no_other_module_of_the_project() -> None:
    """gunicorn.conf.py runs it by its path in a process that must not load the project's modules."""
    imported = {
        name
        for node in ast.walk(ast.parse(Path(table.__file__).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert {str(name).partition(".")[0] for name in imported} == {
        "collections",
        "dataclasses",
        "enum",
        "typing",
        "environs",
    }
