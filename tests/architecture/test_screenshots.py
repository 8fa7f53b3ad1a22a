"""The screenshots in docs/: each is small, is written by `make screenshots`, and is shown by a page."""

from pathlib import Path

import pytest

from dev.screenshots import FOLDER, SHOWN

KILOBYTE = 1000
PAGES = "\n".join(page.read_text() for page in (FOLDER.parents[1] / "README.md", *sorted(FOLDER.parent.glob("*.md"))))


def test_the_folder_has_the_screenshots_that_the_command_writes() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(SHOWN)


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_a_screenshot_is_small_and_a_page_shows_it(file: Path) -> None:
    assert file.stat().st_size < 150 * KILOBYTE
    assert f"screenshots/{file.name}" in PAGES
