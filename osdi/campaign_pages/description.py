"""A campaign's description as HTML for its page: stored HTML is sanitised when it is shown, and never trusted.

nh3 keeps a few elements of text, and links and images with safe addresses. A plain text becomes paragraphs.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from osdi.mail.html_tags import is_html
from osdi.values.web_addresses import origin_of, web_address

ELEMENTS: Final = frozenset(("p", "a", "ul", "ol", "li", "strong", "em", "h2", "h3", "h4", "blockquote", "br", "img"))
ATTRIBUTES: Final[Mapping[str, set[str]]] = {"a": {"href"}, "img": {"src", "alt", "width", "height"}}
SIZE: Final = re.compile(r"[0-9]{1,4}")
BLANK_LINES: Final = re.compile(r"\n\s*\n")
# Descriptions that a process keeps in their sanitised form.
KEPT: Final = 200


@dataclass(frozen=True)
class Description:
    """Safe HTML, and the origins of its images."""

    html: str = ""
    image_origins: tuple[str, ...] = ()


@lru_cache(maxsize=KEPT)
def description_of(text: str) -> Description:
    """Returns a campaign's description, which is HTML or plain text, as safe HTML."""
    if not is_html(text):
        return Description(_paragraphs(text))
    import nh3  # takes 1.5 MB, and an API alone needs none of it

    origins: dict[str, None] = {}

    def kept(element: str, name: str, value: str) -> str | None:
        if name == "rel" or name == "alt":
            return value
        if name == "href":
            return web_address(value)
        if name == "src":
            # nh3 asks also about elements that it removes.
            address = web_address(value, ("https",)) if element == "img" else None
            if origin := origin_of(address):
                origins[origin] = None
            return address
        return value if SIZE.fullmatch(value) else None

    safe = nh3.clean(
        text,
        tags=set(ELEMENTS),
        attributes={element: set(names) for element, names in ATTRIBUTES.items()},
        attribute_filter=kept,
        url_schemes={"http", "https"},
        link_rel="noopener nofollow",
        strip_comments=True,
    )
    return Description(safe, tuple(origins))


def _paragraphs(text: str) -> str:
    """Returns plain text as paragraphs; a single line break stays one."""
    paragraphs = (each.strip() for each in BLANK_LINES.split(text.replace("\r\n", "\n")))
    return "".join("<p>" + html.escape(each).replace("\n", "<br>") + "</p>" for each in paragraphs if each)
