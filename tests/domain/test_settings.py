"""Settings come from the environment only, and every mistake is told at once."""

import pytest
from environs import EnvValidationError

from osdi.settings import Settings


def test_the_defaults_serve_without_any_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGODB_URI", "NAMESPACE", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)

    assert Settings.from_environment() == Settings()


def test_what_the_environment_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://osdi.example.org/")
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example.org,https://b.example.org")
    monkeypatch.setenv("PHONE_REGION", "US")

    settings = Settings.from_environment()

    assert settings.public_url == "https://osdi.example.org"
    assert settings.cors_origins == ("https://a.example.org", "https://b.example.org")
    assert settings.phone_region == "US"


@pytest.mark.parametrize(
    "uri",
    ["mongodb://h/osdi", "mongodb+srv://u:p@cluster.example.net/osdi?retryWrites=true&w=majority", "mongomock://"],
)
def test_connection_strings(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MONGODB_URI", uri)

    assert Settings.from_environment().mongodb_uri == uri


def test_every_mistake_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "MONGODB_URI": "mongodb://host:99999",
        "NAMESPACE": "Not A Name",
        "PUBLIC_URL": "nowhere",
        "MAX_PAGESIZE": "0",
        "PER_PAGE": "many",
        "PHONE_REGION": "usa",
        "TRUSTED_PROXIES": "-1",
        "LOG_FORMAT": "xml",
        "LOG_LEVEL": "loud",
        "LOG_ADDRESSES": "perhaps",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(EnvValidationError) as caught:
        Settings.from_environment()

    assert set(caught.value.error_messages) == set(wrong)


@pytest.mark.parametrize(
    ("said", "meant"), [("tags,lists", ("tags", "lists")), ("tags, lists", ("tags", "lists")), ("", ())]
)
def test_a_list_may_have_spaces_or_nothing_in_it(
    monkeypatch: pytest.MonkeyPatch, said: str, meant: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ANONYMOUS_ACTIONS", said)
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")

    settings = Settings.from_environment()

    assert settings.anonymous_actions == meant
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_an_unknown_action_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANONYMOUS_ACTIONS", "tags,everything")

    with pytest.raises(EnvValidationError, match="ANONYMOUS_ACTIONS"):
        Settings.from_environment()
