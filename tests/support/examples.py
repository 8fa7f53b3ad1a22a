"""The number of random examples that a test tries: all of them in `make check`, a quarter otherwise."""

import os

# `make check` sets "ci"; `make fuzz` sets "long".
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
QUICK_SHARE = 4


def examples(number: int) -> int:
    """Returns the number of examples of this run; `number` is that of `make check`."""
    return max(1, number // QUICK_SHARE) if PROFILE == "quick" else number
