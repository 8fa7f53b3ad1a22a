"""The text part of an HTML mail, for readers who see no HTML: made of whatever HTML, within seconds.

Pure.
"""

import re
from typing import Final

from bs4 import BeautifulSoup, ParserRejectedMarkup, Tag
from bs4.element import PreformattedString
from markdownify import MarkdownConverter

# Deeper markup than any mail has would end Python's recursion, and longer HTML takes long; mail programs cut such mails
# off. They get their bare words as text.
DEPTH: Final = 200
LENGTH: Final = 100_000

WITHOUT_TEXT: Final = {"script", "style", "template", "title"}
HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)

# What stands on lines of its own: as markdownify knows it, and what it takes for a part of a line.
BLOCKS: Final = ("blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul")
LIKE_DIV: Final = ("address", "aside", "center", "dd", "dt", "figure", "footer", "form", "header", "main", "nav")

# Elements whose end tags may be left out, and what they lie in: the parser would nest them.
LEFT_OPEN: Final = ((["li"], ["ul", "ol"]), (["dd", "dt"], ["dl"]), (["tr"], ["table"]), (["td", "th"], ["table"]))

# What becomes more than its words; markdownify would take any other name for one of its methods, such as <soup>.
CONVERTED: Final = [*BLOCKS, "a", "caption", "figcaption", "img", "li", "q", "td", "th", "tr"]
START: Final = re.compile(r"[0-9]{1,6}")
SHOWN_ADDRESSES: Final = ("http://", "https://", "mailto:", "tel:")
BLANK_LINES: Final = re.compile(r"\n{3,}")


def text_of(html: str) -> str:
    """The text part of an HTML body: its words, with addresses behind their links, lists and paragraphs readable."""
    soup = _parsed(html)
    for element in soup.find_all(_unseen):
        element.decompose()
    for string in soup.find_all(string=lambda found: isinstance(found, PreformattedString)):
        string.extract()  # comments, declarations
    if len(html) > LENGTH or _depth(soup) > DEPTH:
        written = soup.get_text("\n", strip=True)
    else:
        _lay_out(soup)
        written = _TEXT.convert_soup(soup)
    return BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in written.splitlines())).strip()


class _Text(MarkdownConverter):
    """Markdown, but for what only a reader of Markdown understands."""

    def convert_a(self, element: Tag, text: str, parent_tags: object) -> str:
        """A link as its words and, behind them, its address."""
        address, words = "".join(str(element.get("href") or "").split()), text.strip()
        if not address.lower().startswith(SHOWN_ADDRESSES):
            return text
        if address.lower().startswith("mailto:"):
            address = address[len("mailto:") :].partition("?")[0]
        if not words:
            return address
        return text if words == address else text.replace(words, f"{words} ({address})", 1)

    def convert_br(self, element: Tag, text: str, parent_tags: object) -> str:
        """The end of a line."""
        return "\n"

    def convert_img(self, element: Tag, text: str, parent_tags: object) -> str:
        """A picture as the words that stand for it."""
        return str(element.get("alt") or "")

    def convert_hN(self, level: int, element: Tag, text: str, parent_tags: object) -> str:  # noqa: N802
        """A heading as a paragraph."""
        return f"\n\n{text.strip()}\n\n"

    def convert_li(self, element: Tag, text: str, parent_tags: object) -> str:
        """An entry of a list; _lay_out has numbered those of ordered ones."""
        mark = f"{element['value']} " if element.parent is not None and element.parent.name == "ol" else "- "
        return mark + text.strip().replace("\n", "\n" + " " * len(mark)) + "\n"

    def convert_pre(self, element: Tag, text: str, parent_tags: object) -> str:
        """Lines as they stand."""
        return f"\n\n{text}\n\n"

    def convert_td(self, element: Tag, text: str, parent_tags: object) -> str:
        """A cell as words in a row."""
        return f"{text.strip()} "

    def convert_tr(self, element: Tag, text: str, parent_tags: object) -> str:
        """A row as a line."""
        return f"{text.strip()}\n"

    convert_th = convert_td


# White space is as in HTML, and lines are not broken: that is left to who reads them.
_TEXT: Final = _Text(escape_asterisks=False, escape_underscores=False, convert=CONVERTED, wrap=True, wrap_width=None)


def _parsed(html: str) -> BeautifulSoup:
    # What follows the last > is no markup, and would be looked through again from each < in it. With a root of our own
    # neither a bare address nor XHTML is warned about.
    markup, end, rest = html.rpartition(">")
    html = f"<html>{markup}{end}{rest.replace('<', '&lt;')}"
    try:
        return BeautifulSoup(html, "html.parser")
    except ParserRejectedMarkup:
        return BeautifulSoup(html.replace("<!", "&lt;!"), "html.parser")


def _unseen(element: Tag) -> bool:
    style = str(element.get("style") or "")
    return element.name in WITHOUT_TEXT or element.has_attr("hidden") or HIDDEN.search(style) is not None


def _lay_out(soup: BeautifulSoup) -> None:
    """Makes of the elements what they are in mails: tables that hold more than words are there for the layout."""
    for names, around in LEFT_OPEN:
        for element in soup.find_all(names):
            before = element.find_parent([*names, *around])
            if before is not None and before.name in names:
                before.insert_after(element)
    for element in soup.find_all(LIKE_DIV):
        element.name = "div"
    for row in soup.find_all("tr"):
        cells = row.find_all(["td", "th"], recursive=False)
        if any(cell.find(BLOCKS) for cell in cells):
            for element in (row, *cells):
                element.name = "div"
    for ordered in soup.find_all("ol"):
        start = START.fullmatch(str(ordered.get("start")))
        for number, entry in enumerate(ordered.find_all("li", recursive=False), int(start[0]) if start else 1):
            entry["value"] = f"{number}."


def _depth(soup: BeautifulSoup) -> int:
    """How deep elements lie in one another, found without recursion."""
    depths = {id(soup): 0}
    for element in soup.descendants:
        depths[id(element)] = depths[id(element.parent)] + 1
    return max(depths.values())
