"""Cases of tests of which `make test` tries some: the others repeat the check for more cases, and run in CI."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def slow_except(cases: Iterable[str], kept: Collection[str]) -> list[Any]:
    """Returns the cases of a test, in their order, of which all but the kept ones are marked slow.

    Raises ValueError for a kept case that does not exist.
    """
    found = list(cases)
    if unknown := set(kept) - set(found):
        raise ValueError(f"These cases do not exist: {unknown}")
    return [case if case in kept else pytest.param(case, marks=pytest.mark.slow) for case in found]
