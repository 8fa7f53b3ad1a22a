"""The blueprint of the staff pages, on which each view declares who may call it.

A view without a declaration raises an error when it is registered, so no staff page answers.
"""

from dataclasses import dataclass
from typing import Any, Final

import flask
from flask.typing import RouteCallable

from osdi.resources import STAFF_PAGES


@dataclass(frozen=True)
class Access:
    """Access to a view: it needs a session whose member has `scope`, or any session if that is None.

    A view without `session` is public. A campaign-scoped member may call it only with `campaign`: for another campaign
    than the member's own a route with a campaign's id returns 403, and a view without one shows that campaign only.
    With `fresh` the member must have signed in a few minutes ago. With `shows` the view also needs the scope `read`,
    because it shows what is stored. `body_bytes` is the limit of the form in place of MAX_BODY_BYTES, which is made for
    posts of programs; with `uploads` it is that of an uploaded file. A POST without `audited` changes nothing, so it is
    not in the audit log.
    """

    scope: str | None = None
    session: bool = True
    campaign: bool = False
    fresh: bool = False
    body_bytes: int | None = None
    uploads: bool = False
    shows: bool = False
    audited: bool = True


PUBLIC: Final = Access(session=False, campaign=True)
ANY_MEMBER: Final = Access(campaign=True)


class StaffBlueprint(flask.Blueprint):
    """A blueprint whose routes need `access=`, as in `@pages.get("/campaigns", access=Access(READ))`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._access: dict[str, Access] = {}

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        *,
        access: Access | None = None,
        **options: Any,
    ) -> None:
        """Adds a route. Raises TypeError for one without `access`."""
        name = str(endpoint or getattr(view_func, "__name__", ""))
        if access is None:
            raise TypeError(f"The staff view {name} at {rule} has to declare its access.")
        if self._access.setdefault(name, access) != access:
            raise TypeError(f"The routes of the staff view {name} declare different access.")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)

    def access_of(self, endpoint: str) -> Access:
        """Returns the declaration of a view by its endpoint, such as `staff.home`."""
        return self._access[endpoint.removeprefix(f"{self.name}.")]


pages = StaffBlueprint("staff", __name__, url_prefix=STAFF_PAGES, template_folder="templates")
