"""Finds text that is not translated in a page of the pseudo-locale en-XA, which has no ASCII letter of its own."""

import re
from collections.abc import Collection

from bs4 import BeautifulSoup
from bs4.element import Comment, Doctype

# Attributes that browsers show or read out; `value` only of a button, `content` only of a description.
SHOWN = ("alt", "aria-description", "aria-label", "aria-roledescription", "label", "placeholder", "title")
NOT_SHOWN = ("script", "style", "template")
LETTERS = re.compile(r"[A-Za-z]+")


def untranslated(html: str, data: Collection[str] = ()) -> list[str]:
    """Returns each text of a page with letters that are not from a catalogue; `data` is text that is shown as it is.

    An element with `lang` or `translate="no"` inside `<html>` is text in another language.
    """
    page = BeautifulSoup(html, "html.parser")
    for element in page.select("body [lang], body [translate=no]"):
        element.decompose()
    found = [
        str(text)
        for text in page.find_all(string=True)
        if not isinstance(text, Comment | Doctype) and text.parent is not None and text.parent.name not in NOT_SHOWN
    ]
    for element in page.find_all(True):
        found += [str(element[name]) for name in SHOWN if name in element.attrs]
        if element.name == "input" and element.get("type") in ("submit", "button", "reset"):
            found.append(str(element.get("value", "")))
        if element.name == "meta" and str(element.get("name", element.get("property", ""))).endswith(
            ("description", "title")
        ):
            found.append(str(element.get("content", "")))
    return [text.strip() for text in found if LETTERS.search(_without(text, data))]


def _without(text: str, data: Collection[str]) -> str:
    for each in sorted(data, key=len, reverse=True):
        text = text.replace(each, "")
    return text
