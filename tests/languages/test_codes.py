"""The choice of a language, and the direction of its text."""

import pytest

from osdi.languages import LANGUAGES, PSEUDO_LANGUAGES, choose, text_direction


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
