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
    """There is nothing to send or to mark: the outreach was deleted; if it was not, another worker has the lease."""

    def __init__(self, *, deleted: bool) -> None:
        super().__init__()
        self.deleted = deleted
