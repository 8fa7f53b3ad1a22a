"""The page of the step that follows a recorded form: what to do, by the type of the campaign, or a choice before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask import Response
from werkzeug.datastructures import MultiDict

from blueprints.act.rendering import CampaignView, rendered
from blueprints.http.context import settings, store
from osdi.campaign_pages.acting.outcome import OF_ANY, OF_CALL
from osdi.campaign_pages.acting.outreach_token import outreach_token
from osdi.campaign_pages.acting.steps import PHONE, Step, step_of
from osdi.campaign_pages.form.body import person_of
from osdi.campaign_pages.form.controls import PERSON_CONTROLS, value_of
from osdi.campaign_pages.targets import Chosen, InvalidChoice, Target, positions_of, target_key
from osdi.documents import ReadOnlyDocument
from osdi.ids import now

TOKEN: Final = "outreach_token"  # noqa: S105  # a name, not a secret


@dataclass(frozen=True)
class Acting:
    """The values of the templates of a step: the step, the token of its outreach, and what was typed into the form.

    `candidates` are positions and targets to choose from before. `unknown` is True if nobody was found. `mistake` is
    one in an outcome.
    """

    step: Step
    token: str
    values: MultiDict[str, str]
    candidates: Sequence[tuple[int, Target]] = ()
    unknown: bool = False
    mistake: InvalidChoice | None = None

    @property
    def typed(self) -> list[tuple[str, str]]:
        """The supporter's details as they were typed: the next step is another request, and reads nothing stored."""
        return [(name, value) for name in PERSON_CONTROLS if (value := value_of(self.values, name))]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that a supporter can state."""
        return OF_CALL if self.step.kind == PHONE else OF_ANY


def first_step(
    view: CampaignView, outreach: ReadOnlyDocument, values: MultiDict[str, str], targets: Chosen
) -> Response:
    """Returns the page that follows a recorded form. Raises OsdiError 503.

    A form that is sent again after the choice among several targets leads to the step for the chosen one.
    """
    target_list: Sequence[Target] = view.campaign.get("target_list", ())
    keys = [] if outreach.get("targets") else [target_key(target_list[each]) for each in targets.candidates]
    token = outreach_token(store(), outreach["_id"], view.campaign["_id"], keys)
    return step_page(view, outreach, values, token, candidates=keys, unknown=targets.unknown)


def step_page(
    view: CampaignView,
    outreach: ReadOnlyDocument,
    values: MultiDict[str, str],
    token: str,
    *,
    candidates: Sequence[str] = (),
    unknown: bool = False,
    mistake: InvalidChoice | None = None,
    status: int = 200,
) -> Response:
    """Returns the page of a step, or of the choice among the targets with the keys in `candidates`."""
    target_list: Sequence[Target] = view.campaign.get("target_list", ())
    listed = [(position, target_list[position]) for position in positions_of(target_list, candidates)]
    targets, message = outreach.get("targets", ()), outreach.get("message")
    step = step_of(view.campaign, person_of(values), targets, message, phone_region=settings().phone_region)
    acting = Acting(step, token, values, listed, unknown, mistake)
    return rendered("recorded", view, status=status, acting=acting, step=step, today=now(), missing=status == 422)
