"""The choice of a language, and the direction of its text."""

import pytest
from babel import Locale, localedata

from osdi.languages import LANGUAGES, PSEUDO_LANGUAGES, choose, text_direction
from osdi.languages.codes import RIGHT_TO_LEFT


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["de"], "de"),
        (["DE"], "de"),
        (["de-AT"], "de"),
        (["fr-CA", "en"], "fr"),
        (["es-419"], "es"),
        (["pt-BR", "es"], "es"),
        ([None, "", "fr"], "fr"),
        (["xx", "*", "-", "..", "\u0130", "de\n", "x" * 9_000], "en"),
        ([], "en"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_first_wanted_language_that_exists_is_chosen(wanted: list[str | None], found: str) -> None:
    assert choose(wanted) == found


@pytest.mark.parametrize("wanted", [[], ["xx"], [None]], ids=str)
def test_the_default_is_chosen_if_no_wanted_language_exists(wanted: list[str | None]) -> None:
    assert choose(wanted, default="fr") == "fr"


@pytest.mark.parametrize("pseudo", PSEUDO_LANGUAGES)
def test_a_pseudo_locale_exists_only_where_it_is_the_default(pseudo: str) -> None:
    assert choose([pseudo]) == "en"
    assert choose([pseudo.lower()], default=pseudo) == pseudo


def test_text_runs_from_right_to_left_in_the_bidirectional_pseudo_locale_only() -> None:
    assert {each: text_direction(each) for each in (*LANGUAGES, *PSEUDO_LANGUAGES)} == {
        **dict.fromkeys((*LANGUAGES, "en-XA"), "ltr"),
        "ar-XB": "rtl",
    }


@pytest.mark.parametrize("language", sorted({*LANGUAGES, *RIGHT_TO_LEFT}))
def test_the_direction_of_text_is_that_of_babel(language: str) -> None:
    assert text_direction(language) == Locale.parse(language).text_direction


def test_the_direction_of_text_needs_no_data_of_babel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages and mails show no date or number, and the data of a language take 5 MB."""

    def load(name: str, **_: object) -> None:
        raise AssertionError(f"The data of {name} are loaded.")

    monkeypatch.setattr(localedata, "load", load)

    assert [text_direction(each) for each in ("it", "ur-PK")] == ["ltr", "rtl"]
