"""The pseudo-locales: readable English that differs from English in each letter, or in its direction."""

import string

import pytest

from osdi.languages import translations
from osdi.languages.pseudo import PLAIN, WITH_ACCENTS, accented, turned, with_accents

KEPT = [
    "%(sender)s",
    "%(num)d",
    "%%",
    "%s",
    "{0}",
    "{name}",
    "<strong>",
    '<a href="/x?a=b&amp;c=d" class="y">',
    "</a>",
    "&nbsp;",
    "&#39;",
    "&#x27;",
]


def test_each_ascii_letter_has_another_letter_of_its_own() -> None:
    assert set(PLAIN) == set(string.ascii_letters)
    assert len(set(WITH_ACCENTS)) == len(PLAIN)
    assert not set(WITH_ACCENTS) & set(string.ascii_letters)


@pytest.mark.parametrize("kept", KEPT)
def test_placeholders_and_markup_stay_as_they_are(kept: str) -> None:
    for change in (accented, turned):
        assert kept in change(f"Write {kept} here, and {kept}")
    assert with_accents(f"Write {kept} here") == f"Ŵŕîţé {kept} ĥéŕé"


def test_a_message_gets_longer_and_has_brackets() -> None:
    assert accented("Ten letters") == "⟦Ţéñ ļéţţéŕš···⟧"


def test_each_word_is_turned_around_in_the_bidirectional_pseudo_locale() -> None:
    assert turned("Take part!") == "\u202eTake\u202c \u202epart\u202c!"


@pytest.mark.parametrize(("count", "form"), [(0, "Many"), (1, "One"), (2, "Many")])
def test_plural_forms_are_the_english_ones(count: int, form: str) -> None:
    found = translations("en-XA")

    assert found.ngettext("One", "Many", count) == accented(form)
    assert found.npgettext("of people", "One", "Many", count) == accented(form)


def test_a_message_with_a_context_is_changed_without_the_context() -> None:
    assert translations("en-XA").pgettext("button", "Send") == accented("Send")
