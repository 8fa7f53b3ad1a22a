"""Texts that try to run code on a page that shows them, and values for each field that contain them all."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from osdi.fields import definition as table
from osdi.fields.limits import MAX_LINE_LENGTH
from tests.support.samples import Samples

# Each element that one of these would make has the attribute `data-evil`.
PAYLOADS = {
    "script": "<script data-evil>alert(1)</script>",
    "attribute in double quotes": '"><img data-evil src=x onerror=alert(2)>',
    "attribute in single quotes": "' data-evil onmouseover='alert(3)",
    "autofocus": '" data-evil autofocus onfocus="alert(4)',
    "javascript address": "javascript:alert(5)//",
    "end of text elements": "</textarea></title></select></script><svg data-evil onload=alert(6)>",
    "template": "{{7*7}}{% raw %}${7*7}<%=7*7%>#{7*7}",
    "SVG animation": "<svg><animate data-evil onbegin=alert(8) attributeName=x dur=1s>",
    "right-to-left override": "\u202egnp.exe\u2067\u200f",
    "control characters": "a\x01b\x08c\x1b[31md\x7fe\x85f\u2028g",
    "style": "</style><style data-evil>*{display:none}</style>",
    "frame and base": "<iframe data-evil src=//evil.example></iframe><base data-evil href=//evil.example>",
    "form": "<form data-evil action=//evil.example><button data-evil formaction=javascript:alert(9)>",
    "comment": "--><!--<a data-evil href=javascript:alert(10)>x</a>",
    "character references": "&lt;img data-evil src=x onerror=alert(11)&gt;&#60;b&#62;",
    "mutation": '<math><mtext><mglyph><style><!--</style><img title="--&gt;&lt;img data-evil src=x&gt;">',
}
MARK = "§"
MARKED = re.compile(f"{MARK}(\\d+){MARK}(.*?){MARK}", flags=re.DOTALL)
_numbers = itertools.count(1)


def hostile(length: int = MAX_LINE_LENGTH, *, without: Sequence[str] = ()) -> str:
    """Returns a text with a number of its own and each payload. If they are too long together, they take turns."""
    number = next(_numbers)
    chosen = [text for name, text in PAYLOADS.items() if name not in without]
    whole = f"{MARK}{number}{MARK}{' '.join(chosen)}{MARK}"
    return whole if len(whole) <= length else f"{MARK}{number}{MARK}{chosen[number % len(chosen)]}{MARK}"


class HostileSamples(Samples):
    """Makes values that contain the payloads, in each field that takes any text."""

    def value(self, of: table.Field) -> Any:
        """Returns a JSON value of the field's type."""
        match of:
            case table.Text(template=True):
                return hostile(of.length, without=("template", "control characters"))
            case table.Text():
                return hostile(of.length)
            case table.FlexEnum():
                return hostile()
            case table.Strings():
                return [hostile()]
            case table.CustomFields():
                return {hostile(200): hostile()}
        return super().value(of)


def texts_in(value: Any) -> Iterator[tuple[str, str]]:
    """Yields number and content of each hostile text in a document."""
    match value:
        case str():
            yield from MARKED.findall(value)
        case Mapping():
            for each in itertools.chain(value.keys(), value.values()):
                yield from texts_in(each)
        case list() | tuple():
            for each in value:
                yield from texts_in(each)
