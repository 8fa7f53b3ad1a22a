"""The files of Swagger UI and ReDoc are served only if they are those that their makers released."""

from pathlib import Path

import pytest

from blueprints.browser import viewers
from blueprints.browser.viewers import VIEWERS, check_packages, read_viewer


@pytest.mark.parametrize("name", VIEWERS)
def test_a_file_of_its_makers_is_served(name: str) -> None:
    assert len(read_viewer(name)) > 100_000


@pytest.mark.parametrize("name", VIEWERS)
def test_a_changed_file_is_not_served(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = VIEWERS[name]
    changed = tmp_path / viewer.path
    changed.parent.mkdir(exist_ok=True)
    changed.write_bytes(read_viewer(name) + b" ")
    monkeypatch.setattr(viewers, "_folder", lambda _: tmp_path)

    with pytest.raises(RuntimeError, match=f"differs from {viewer.release.partition(' ')[0]}"):
        read_viewer(name)


def test_the_server_does_not_start_without_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    viewers._folder.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(RuntimeError, match="is not installed"):
        check_packages()
