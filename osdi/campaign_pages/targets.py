"""The targets of a post: which entries of a campaign's `target_list` it is for, by the page's setting `targets`.

Pure. The table of postal codes is read before (osdi.campaign_pages.postal_codes).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from osdi.campaign_pages.page_settings import ALL, CHOOSE, PageSettings
from osdi.fields.contacts import TARGET
from osdi.fields.definition import names
from osdi.fields.limits import MAX_ANONYMOUS_TARGETS
from osdi.values.names import letters_and_digits

Target = Mapping[str, Any]

CONTROL: Final = "target"
# The value of the control `target` for "None of these".
NONE: Final = "none"
NAME_PARTS: Final = ("title", "given_name", "family_name", "organization")
FIELDS: Final = names(TARGET.fields)

# The reasons why a choice is invalid.
NOT_IN_LIST, NOT_CHOSEN, TOO_MANY, NO_POSTAL_CODE = "not_in_list", "not_chosen", "too_many", "no_postal_code"


class Values(Protocol):
    """The values of a posted form, by control: werkzeug's MultiDict, or a test's."""

    def getlist(self, key: str) -> list[str]:
        """Returns all values of a control."""


@dataclass(frozen=True)
class InvalidChoice(ValueError):
    """The form cannot be recorded as it is: the control to correct, and one of the reasons of this module."""

    control: str
    reason: str


@dataclass(frozen=True)
class Chosen:
    """The targets of an outreach, copied from the campaign.

    `candidates` are positions in `target_list`, from 0: the supporter chooses among them after the outreach is
    recorded. `unknown` is True if no target was found for the postal code.
    """

    targets: tuple[Target, ...] = ()
    candidates: tuple[int, ...] = ()
    unknown: bool = False


def chosen(
    values: Values, campaign: Mapping[str, Any], page: PageSettings, keys: Sequence[str] = (), *, complete: bool = True
) -> Chosen:
    """Returns the targets of a posted form; `keys` are those of the targets that its postal code leads to.

    A code that leads to several targets makes a choice for later: the outreach is recorded first, without targets. So
    a supporter who stops at the choice is not lost, and no outreach names a target that nobody has chosen. With
    `complete` a choice that the page requires has to be there; an organisation's own form may have no such control.

    Raises InvalidChoice.
    """
    target_list: Sequence[Target] = campaign.get("target_list", ())
    selection = page.targets.selection
    if selection == ALL:
        # An outreach to the whole of a longer list needs no copies: the campaign has the list.
        return Chosen(copies(target_list, range(len(target_list))) if len(target_list) <= MAX_ANONYMOUS_TARGETS else ())
    if selection == CHOOSE:
        return Chosen(copies(target_list, _positions(values, target_list, complete=complete)))
    if complete and not any(code.strip() for code in values.getlist("person.postal_code")):
        raise InvalidChoice("person.postal_code", NO_POSTAL_CODE)
    found = positions_of(target_list, keys)
    if len(found) > 1:
        return Chosen(candidates=found)
    return Chosen(copies(target_list, found), unknown=not found)


def _positions(values: Values, target_list: Sequence[Target], *, complete: bool) -> tuple[int, ...]:
    """Returns the chosen positions in the order of the list, each once. Raises InvalidChoice."""
    sent = [value.strip() for value in values.getlist(CONTROL) if value.strip()]
    allowed = {str(position): position for position in range(len(target_list))}
    if any(value not in allowed for value in sent):
        raise InvalidChoice(CONTROL, NOT_IN_LIST)
    found = tuple(sorted({allowed[value] for value in sent}))
    if complete and target_list and not found:
        raise InvalidChoice(CONTROL, NOT_CHOSEN)
    if len(found) > MAX_ANONYMOUS_TARGETS:
        raise InvalidChoice(CONTROL, TOO_MANY)
    return found


def copies(target_list: Sequence[Target], positions: Sequence[int]) -> tuple[Target, ...]:
    """Returns the targets at these positions, with OSDI's fields only."""
    return tuple({name: target_list[each][name] for name in FIELDS if name in target_list[each]} for each in positions)


def positions_of(target_list: Sequence[Target], keys: Sequence[str]) -> tuple[int, ...]:
    """Returns the positions of the targets with these keys, in the order of the list."""
    wanted = set(keys)
    return tuple(position for position, each in enumerate(target_list) if target_key(each) in wanted)


def target_key(target: Target) -> str:
    """Returns the text by which a target is found again after its list was sorted or a detail was corrected.

    That is the Open Civic Data identifier. A target without one is known by title, name and organization.
    """
    if target.get("ocdid"):
        return f"ocdid:{str(target['ocdid']).strip().casefold()}"
    return "name:" + "|".join(letters_and_digits(str(target.get(part, ""))) for part in NAME_PARTS)


def target_name(target: Target) -> str:
    """Returns a target's name for readers: title and name, else the organization, else the title; empty without any."""
    if target.get("given_name") or target.get("family_name"):
        return " ".join(str(target[part]) for part in NAME_PARTS[:3] if target.get(part))
    return str(target.get("organization") or target.get("title") or "")
