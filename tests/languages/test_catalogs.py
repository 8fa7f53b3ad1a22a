"""Each catalogue has a complete, correct translation of each message of templates and code.

If a test fails after a change of a text, run `make translations` and translate what it prints.
"""

import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog, Message

from dev.translations import TRANSLATED, messages, untranslated, updated
from osdi.languages import LANGUAGES, SOURCE_LANGUAGE, translations
from osdi.languages.catalogs import catalog

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|\{\w*\}")
TAG = re.compile(r"</?\w+[^>]*>")
NUM = "%(num)s"


@pytest.fixture(scope="module")
def extracted() -> Catalog:
    return messages()


def strings(message: Message) -> list[str]:
    """Returns the translations of a message, one for each plural form."""
    return [*message.string] if message.pluralizable else [message.string]


def sources(message: Message) -> list[str]:
    """Returns the English texts of a message."""
    return [*message.id] if message.pluralizable else [message.id]


def each_translation(language: str) -> list[tuple[str, str]]:
    """Returns the English text and the translation of each message, the English plural for each plural form."""
    return [
        (sources(message)[-1], string) for message in catalog(language) if message.id for string in strings(message)
    ]


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {*TRANSLATED, SOURCE_LANGUAGE} == set(LANGUAGES)


def test_messages_of_templates_and_of_code_are_found(extracted: Catalog) -> None:
    places = {name.rpartition(".")[2] for message in extracted for name, _ in message.locations}

    assert "html" in places
    assert len(extracted) > 5


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_the_messages_of_the_code_and_no_others(language: str, extracted: Catalog) -> None:
    def names(found: Catalog) -> set[tuple[object, ...]]:
        return {(message.context, *sources(message)) for message in found}

    assert names(catalog(language)) == names(extracted)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated(language: str) -> None:
    assert [message.id for message in untranslated(catalog(language))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_and_the_markup_of_the_message(language: str) -> None:
    for english, translated in each_translation(language):
        for pattern in (PLACEHOLDER, TAG):
            wanted, found = Counter(pattern.findall(english)), Counter(pattern.findall(translated))
            # Text for exactly one may say "one" in words.
            assert wanted - found in (Counter(), Counter([NUM])), translated
            assert found - wanted == Counter(), translated


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_begins_and_ends_as_the_message(language: str) -> None:
    for english, translated in each_translation(language):
        assert re.findall(r"^\s|\s$", english) == re.findall(r"^\s|\s$", translated), translated
        assert english.endswith(("?", "…")) == translated.endswith(("?", "…")), translated
        assert english.endswith(".") == translated.endswith("."), translated


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_plural_form_is_used_by_its_numbers(language: str) -> None:
    found = translations(language)
    for message in catalog(language):
        if message.pluralizable:
            used = {found.ngettext(*message.id, count) for count in (0, 1, 2, 5, 21, 1_000_000)}
            assert used == set(strings(message))


def test_french_has_a_no_break_space_before_double_punctuation() -> None:
    wrong = [text for _, text in each_translation("fr") if re.search(r"[^\u00a0\u202f\d\s/][;!?]| [;:!?»]|« ", text)]

    assert wrong == []


def test_spanish_questions_have_both_marks() -> None:
    assert [text for _, text in each_translation("es") if text.count("¿") != text.count("?")] == []
    assert [text for _, text in each_translation("es") if text.count("¡") != text.count("!")] == []


@pytest.mark.parametrize(
    ("string", "flags", "found"),
    [
        ("Hallo", (), False),
        ("", (), True),
        (None, (), True),
        ("Hallo", ("fuzzy",), True),
    ],
    ids=["translated", "empty", "absent", "fuzzy"],
)
def test_an_untranslated_message_is_found(string: str | None, flags: tuple[str, ...], found: bool) -> None:
    incomplete = Catalog(locale="de")
    incomplete.add("Hello", string, flags=flags)

    assert bool(list(untranslated(incomplete))) is found


@pytest.mark.parametrize(
    ("forms", "found"),
    [(("eine", "viele"), False), (("eine",), True), (("eine", ""), True), (("", ""), True)],
    ids=["complete", "one", "one empty", "all empty"],
)
def test_a_missing_plural_form_is_found(forms: tuple[str, ...], found: bool) -> None:
    incomplete = Catalog(locale="de")
    incomplete.add(("one", "many"), forms)

    assert bool(list(untranslated(incomplete))) is found


def test_an_update_adds_new_messages_and_removes_former_ones() -> None:
    new = Catalog()
    new.add("Unsubscribe")
    new.add("A text that no page has")

    found = updated("de", new)

    assert found["Unsubscribe"].string == "Abmelden"
    assert [message.id for message in untranslated(found)] == ["A text that no page has"]
    assert {message.id for message in found} == {"", "Unsubscribe", "A text that no page has"}
    assert not found.obsolete


def test_a_changed_message_keeps_its_former_translation_as_a_suggestion() -> None:
    changed = Catalog()
    changed.add("This link is not valid!")

    found = updated("de", changed)["This link is not valid!"]

    assert (found.string, found.fuzzy) == ("Dieser Link ist ungültig", True)


def test_an_unknown_language_has_no_messages() -> None:
    with pytest.raises(ValueError, match=r"'\.\./etc' is none of en, es, de, fr\."):
        translations("../etc")
