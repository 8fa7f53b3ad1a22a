"""`python -m bench --only instructions` counts what the interpreter executes, by whose code it is."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pymongo
import pytest
import werkzeug

from bench import floor
from bench.instructions import DRIVER, FRAMEWORK, OTHER, OWN, counted, part_of


@pytest.mark.parametrize(
    ("file", "part"),
    [(pymongo.__file__, DRIVER), (werkzeug.__file__, FRAMEWORK), (floor.__file__, OWN), ("<frozen abc>", OTHER)],
)
def test_a_file_belongs_to_one_part(file: str, part: str) -> None:
    assert part_of(file) == part


def test_a_longer_function_has_more_instructions() -> None:
    def numbers(count: int) -> int:
        counts: Counter[str] = Counter()

        def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            return [b"x" for _ in range(count)]

        list(counted(wsgi, counts)({}, print))
        return counts[__file__]

    assert 0 < numbers(1) < numbers(10) < numbers(100)
