"""Fixtures of backups and restores."""

import pytest

from osdi.store.indexes import INDEXES


@pytest.fixture
def only_unique_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes restores create the unique indexes only, which decide if a document can be restored.

    The other ones make queries faster, and are most of the work of a small restore.
    """
    declared = {name: tuple(index for index in indexes if index.unique) for name, indexes in INDEXES.items()}
    monkeypatch.setattr("osdi.store.store.INDEXES", {name: indexes for name, indexes in declared.items() if indexes})
