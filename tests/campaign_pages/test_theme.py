"""The colours of a page are readable for every colour that an organisation may choose."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osdi.campaign_pages.theme import DARK_SURFACE, LIGHT_SURFACE, READABLE, Rgb, contrast, theme_of

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def rgb(colour: str) -> Rgb:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ffffff", 4.0), ("#00ff00", "#00ff00", 1)],
)
def test_the_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(rgb(one), rgb(other)) == pytest.approx(ratio, abs=0.01)
    assert contrast(rgb(other), rgb(one)) == contrast(rgb(one), rgb(other))


@given(COLOURS)
def test_every_text_is_readable(colour: str) -> None:
    theme = theme_of(colour)

    assert contrast(rgb(theme.on_button), rgb(theme.button)) >= READABLE
    assert contrast(rgb(theme.on_light), LIGHT_SURFACE) >= READABLE
    assert contrast(rgb(theme.on_dark), DARK_SURFACE) >= READABLE


def test_a_readable_colour_is_not_changed() -> None:
    assert theme_of("#1D6A5C").button == theme_of("#1d6a5c").on_light == "#1d6a5c"


@pytest.mark.parametrize(("short", "long"), [("#fa0", "#ffaa00"), ("FA0", "#ffaa00"), ("#FFFFFF", "#ffffff")])
def test_short_and_upper_case_spellings_are_read(short: str, long: str) -> None:
    assert theme_of(short).button == long


@pytest.mark.parametrize("colour", ["", "#", "#ffff", "red", "#12345g", "#fff;}", "#ffffff\n", "##fff", "٣٣٣"])
def test_anything_else_is_an_error(colour: str) -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        theme_of(colour)


def test_the_style_sheet_contains_only_colours() -> None:
    css = theme_of("#fa0").css()

    assert re.sub(r"#[0-9a-f]{6}", "", css) == (
        ":root{--button:;--on-button:;--accent:}@media (prefers-color-scheme:dark){:root{--accent:}}"
    )
