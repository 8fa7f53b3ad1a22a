"""Makes the text part of an HTML mail, for mail programs that show no HTML. Takes any HTML and seconds at most.

Pure.
"""

import re
from collections.abc import Iterable
from typing import Final

from bs4 import BeautifulSoup, ParserRejectedMarkup, Tag
from bs4.element import NavigableString, PreformattedString
from markdownify import MarkdownConverter

# Nesting beyond this depth could exceed Python's recursion limit, and longer HTML takes too long. Such mails get their
# bare words as text.
MAX_DEPTH: Final = 200
MAX_LENGTH: Final = 100_000

WITHOUT_TEXT: Final = {"script", "style", "template", "title"}
HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)

# Block elements: those that markdownify treats as blocks, and those that it treats as inline elements.
BLOCKS: Final = ("blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul")
LIKE_DIV: Final = ("address", "aside", "center", "dd", "dt", "figure", "footer", "form", "header", "main", "nav")

# Elements with an optional end tag, and their containers. The parser nests such elements if the end tag is missing.
OPTIONAL_END_TAGS: Final = (
    (["li"], ["ul", "ol"]),
    (["dd", "dt"], ["dl"]),
    (["tr"], ["table"]),
    (["td", "th"], ["table"]),
)

# Elements that are converted to more than their words. markdownify calls a method for any other name, such as <soup>.
CONVERTED: Final = [*BLOCKS, "a", "caption", "figcaption", "img", "li", "q", "td", "th", "tr"]
START: Final = re.compile(r"[0-9]{1,6}")
SHOWN_ADDRESSES: Final = ("http://", "https://", "mailto:", "tel:")
# White space that HTML collapses; a no-break space is none of it.
COLLAPSED: Final = " \t\n\r\f"
BLANK_LINES: Final = re.compile(r"\n{3,}")


def text_of(html: str) -> str:
    """Returns the text of an HTML body: paragraphs and lists stay readable, links are followed by their address."""
    soup = _parse(html)
    # Lists, since a search by the library takes several times as long, and these are most of the work for a short mail.
    for element in [each for each in soup.descendants if isinstance(each, Tag) and _is_invisible(each)]:
        element.decompose()
    for string in [each for each in soup.descendants if isinstance(each, PreformattedString)]:
        string.extract()  # comments, declarations
    if len(html) > MAX_LENGTH or _depth(soup) > MAX_DEPTH:
        text = soup.get_text("\n", strip=True)
    else:
        _lay_out(soup)
        text = _CONVERTER.convert_soup(soup)
    return BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip().replace("\xa0", " ")


class _TextConverter(MarkdownConverter):
    """Converts to Markdown without the marks that only readers of Markdown understand."""

    def convert_a(self, element: Tag, text: str, parent_tags: object) -> str:
        """Returns a link's words, followed by its address in parentheses."""
        address, words = "".join(str(element.get("href") or "").split()), text.strip()
        if not address.lower().startswith(SHOWN_ADDRESSES):
            return text
        if address.lower().startswith("mailto:"):
            address = address[len("mailto:") :].partition("?")[0]
        if not words:
            return address
        return text if words == address else text.replace(words, f"{words} ({address})", 1)

    def convert_br(self, element: Tag, text: str, parent_tags: object) -> str:
        """Returns a line break."""
        return "\n"

    def convert_img(self, element: Tag, text: str, parent_tags: object) -> str:
        """Returns a picture's alternative text."""
        return str(element.get("alt") or "")

    def convert_hN(self, level: int, element: Tag, text: str, parent_tags: object) -> str:  # noqa: N802
        """Returns a heading as a paragraph."""
        return f"\n\n{text.strip()}\n\n"

    def convert_li(self, element: Tag, text: str, parent_tags: object) -> str:
        """Returns a list entry with its mark; _lay_out has numbered the entries of ordered lists."""
        mark = f"{element['value']} " if element.parent is not None and element.parent.name == "ol" else "- "
        return mark + text.strip().replace("\n", "\n" + " " * len(mark)) + "\n"

    def convert_pre(self, element: Tag, text: str, parent_tags: object) -> str:
        """Returns preformatted lines unchanged."""
        return f"\n\n{text}\n\n"

    def convert_td(self, element: Tag, text: str, parent_tags: object) -> str:
        """Returns a cell's words, followed by a space."""
        return f"{text.strip()} "

    def convert_tr(self, element: Tag, text: str, parent_tags: object) -> str:
        """Returns a row as one line."""
        return f"{text.strip()}\n"

    convert_th = convert_td


# `wrap` without a width collapses white space as HTML does, and adds no line breaks.
_CONVERTER: Final = _TextConverter(
    escape_asterisks=False, escape_underscores=False, convert=CONVERTED, wrap=True, wrap_width=None
)


def _parse(html: str) -> BeautifulSoup:
    # The text after the last > contains no markup, and the parser would search it again from each <. The <html> prefix
    # prevents BeautifulSoup's warnings about a bare URL and about XHTML.
    markup, end, rest = html.rpartition(">")
    html = f"<html>{markup}{end}{rest.replace('<', '&lt;')}"
    try:
        return BeautifulSoup(html, "html.parser", store_line_numbers=False, multi_valued_attributes=None)
    except ParserRejectedMarkup:
        return BeautifulSoup(html.replace("<!", "&lt;!"), "html.parser")


def _is_invisible(element: Tag) -> bool:
    style = str(element.get("style") or "")
    return element.name in WITHOUT_TEXT or element.has_attr("hidden") or HIDDEN.search(style) is not None


def _lay_out(soup: BeautifulSoup) -> None:
    """Repairs nesting, turns layout tables into blocks and numbers ordered lists.

    A table is for layout if one of its cells contains a block.
    """
    present = {each.name for each in soup.descendants if isinstance(each, Tag)}

    def find_all(*names: str) -> Iterable[Tag]:
        return () if present.isdisjoint(names) else soup.find_all(names)

    for names, containers in OPTIONAL_END_TAGS:
        for element in find_all(*names):
            unclosed = element.find_parent([*names, *containers])
            if unclosed is not None and unclosed.name in names:
                unclosed.insert_after(element)
    for element in find_all(*LIKE_DIV):
        element.name = "div"
    for line_break in find_all("br"):
        _trim_line_start(line_break)
    for row in find_all("tr"):
        cells = row.find_all(["td", "th"], recursive=False)
        if any(cell.find(BLOCKS) for cell in cells):
            for element in (row, *cells):
                element.name = "div"
    for ordered in find_all("ol"):
        start = START.fullmatch(str(ordered.get("start")))
        for number, entry in enumerate(ordered.find_all("li", recursive=False), int(start[0]) if start else 1):
            entry["value"] = f"{number}."


def _trim_line_start(line_break: Tag) -> None:
    """Removes white space after a line break, which HTML does not show."""
    following = line_break.next_element
    if not isinstance(following, NavigableString) or line_break.find_parent("pre") is not None:
        return
    following.replace_with(NavigableString(following.lstrip(COLLAPSED)))


def _depth(soup: BeautifulSoup) -> int:
    """Returns the nesting depth of the elements, found without recursion."""
    depths = {id(soup): 0}
    for element in soup.descendants:
        depths[id(element)] = depths[id(element.parent)] + 1
    return max(depths.values())
