"""The error of a sign-in by OpenID Connect that has failed."""


class SignInFailed(Exception):
    """The sign-in has failed. `reason` is a code for the log: words of a provider or a stranger must not be in it."""

    def __init__(self, reason: str, member_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.member_id = member_id
