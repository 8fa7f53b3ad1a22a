"""The search for untranslated text finds what a reader of a page would see or hear, and nothing else."""

import pytest

from osdi.languages.pseudo import accented
from tests.support.pseudo import untranslated

THANKS = accented("Thank you")


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>Thank you</p>", ["Thank you"]),
        (f"<p>{THANKS}</p>", []),
        (f"<p>{THANKS} Jane</p>", []),
        (f"<p>{THANKS} Jane of the river</p>", [f"{THANKS} Jane of the river"]),
        ("<p>1,234 · 50 %</p>", []),
        ("<title>Thank you</title>", ["Thank you"]),
        ('<img alt="A river">', ["A river"]),
        ('<a href="/take-part" class="button" id="part">»</a>', []),
        ('<input type="submit" value="Send">', ["Send"]),
        ('<input type="hidden" value="Send">', []),
        ('<button aria-label="Close">+</button>', ["Close"]),
        ('<meta name="description" content="A river">', ["A river"]),
        ('<meta name="viewport" content="width=device-width">', []),
        ("<script>let a</script><style>p {}</style><!-- a note -->", []),
        ('<html lang="en-XA"><body><a lang="de">Deutsch</a></body></html>', []),
        ('<html lang="en-XA"><body><p>Deutsch</p></body></html>', ["Deutsch"]),
    ],
)
def test_text_that_no_catalogue_has_is_found(html: str, found: list[str]) -> None:
    assert untranslated(html, data=["Jane"]) == found
