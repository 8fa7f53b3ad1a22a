"""A deployment without mail, and the time after which a sign-in is no longer fresh."""

import pytest

from osdi.ids import now
from osdi.staff.sessions import FRESH


@pytest.fixture
def not_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets ten minutes pass since each sign-in."""
    monkeypatch.setattr("blueprints.staff.gate.now", lambda: now() + FRESH)
