"""Outcomes of a leased follow-up that is not sent now: it ends, or it waits.

Pure.
"""


class Stop(Exception):
    """The follow-up is never sent: SKIPPED because it should not be, or FAILED."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Postpone(Exception):
    """The follow-up waits for `seconds`; `tried` is True if sending it was attempted."""

    def __init__(self, reason: str, seconds: float, *, tried: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.tried = tried


class Gone(Exception):
    """The outreach was deleted, or another worker has taken over: there is nothing to send and nothing to mark."""
