"""The colours of a page, made from an organisation's colour so that text on and in it stays readable (WCAG 2.2).

Pure. https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio defines the contrast.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# 1.4.3 Contrast (Minimum) for text.
READABLE: Final = 4.5
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
# The lightest and the darkest surface of assets/page.css on which coloured text stands.
LIGHT_SURFACE: Final = (244, 246, 246)
DARK_SURFACE: Final = (29, 33, 36)
DEFAULT_COLOUR: Final = "#1d6a5c"
STEPS: Final = 50

Rgb = tuple[int, int, int]

_HEX: Final = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)


@dataclass(frozen=True)
class Theme:
    """Colours as `#rrggbb`: of a button, of its text, and of coloured text on a light and on a dark surface."""

    button: str
    on_button: str
    on_light: str
    on_dark: str

    def css(self) -> str:
        """Returns the custom properties that assets/page.css reads."""
        return (
            f":root{{--button:{self.button};--on-button:{self.on_button};--accent:{self.on_light}}}"
            f"@media (prefers-color-scheme:dark){{:root{{--accent:{self.on_dark}}}}}"
        )


@lru_cache(maxsize=256)
def theme_of(colour: str) -> Theme:
    """Returns the theme of a colour such as `#1d6a5c` or `#fa0`. Raises ValueError for anything else."""
    wanted = _rgb(colour)
    on_button = max(BLACK, WHITE, key=lambda text: contrast(text, wanted))
    on_light = _readable(wanted, LIGHT_SURFACE, towards=BLACK)
    on_dark = _readable(wanted, DARK_SURFACE, towards=WHITE)
    return Theme(_hex(wanted), _hex(on_button), _hex(on_light), _hex(on_dark))


def contrast(one: Rgb, other: Rgb) -> float:
    """Returns the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: Rgb, surface: Rgb, *, towards: Rgb) -> Rgb:
    """Returns the colour itself if it is readable on the surface, else the nearest mixture that is."""
    mixtures = (_mixed(colour, towards, step / STEPS) for step in range(STEPS + 1))
    return next(each for each in mixtures if contrast(each, surface) >= READABLE)


def _mixed(colour: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(one + (two - one) * share) for one, two in zip(colour, other, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _rgb(colour: str) -> Rgb:
    found = _HEX.fullmatch(colour)
    if found is None:
        raise ValueError(f"{colour[:20]!r} is not a colour such as #1d6a5c.")
    digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _hex(colour: Rgb) -> str:
    return "#" + bytes(colour).hex()
