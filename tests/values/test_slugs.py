"""Slugs are made of titles in any language, and are short, plain and stable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osdi.values.slugs import MAX_SLUG_LENGTH, is_slug, slug_of, with_number


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Rettet den Fluß", "rettet-den-fluss"),
        ("Save the river!", "save-the-river"),
        ("  Save — the/river  2026 ", "save-the-river-2026"),
        ("¡Salvemos el río Ñuñoa!", "salvemos-el-rio-nunoa"),
        ("Sauvons l'Œuvre d\u2019art", "sauvons-loeuvre-dart"),
        ("Ærø, Łódź, Þórshöfn, Đakovo", "aero-lodz-thorshofn-dakovo"),
        ("ISTANBUL İzmir Diyarbak\u0131r", "istanbul-izmir-diyarbakir"),
        ("ﬁsh №5 ™", "fish-no5-tm"),
        ("Спасём реку", "campaign"),
        ("川を守れ 2026", "2026"),
        ("!!!", "campaign"),
        ("", "campaign"),
        ("Confirm", "campaign-confirm"),
        ("assets", "campaign-assets"),
        ("e\u0301te\u0301", "ete"),
    ],
)
def test_a_title_becomes_a_slug(title: str, slug: str) -> None:
    assert slug_of(title) == slug


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("a" * 81, "a" * 80),
        (" ".join(["river"] * 20), "-".join(["river"] * 13)),
        ("a" * 79 + " b", "a" * 79),
        ("a" * 80, "a" * 80),
    ],
)
def test_a_long_title_is_cut_between_words_if_it_has_several(title: str, slug: str) -> None:
    assert slug_of(title) == slug


@pytest.mark.parametrize(
    ("slug", "number", "numbered"),
    [
        ("river", 2, "river-2"),
        ("a" * 80, 2, "a" * 78 + "-2"),
        ("a" * 76 + "-bcd", 10, "a" * 76 + "-10"),
    ],
)
def test_a_number_is_put_behind_a_slug_within_the_length(slug: str, number: int, numbered: str) -> None:
    assert with_number(slug, number) == numbered


@pytest.mark.parametrize("text", ["a", "1", "save-the-river", "a" * 80, "2026-11-30"])
def test_a_slug_is_accepted(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "river.js",
        "-a",
        "a-",
        "a--b",
        "a b",
        "a/b",
        "fluß",
        "a" * 81,
        "a\n",
        "confirm",
        "assets",
        "a_b",
        "\u0661",
    ],
)
def test_another_text_is_not_a_slug(text: str) -> None:
    assert not is_slug(text)


@given(st.text(max_size=200), st.integers(2, 10_000))
def test_each_title_becomes_a_valid_slug_with_and_without_a_number(title: str, number: int) -> None:
    slug = slug_of(title)

    assert is_slug(slug)
    assert is_slug(with_number(slug, number))
    assert len(slug) <= MAX_SLUG_LENGTH
