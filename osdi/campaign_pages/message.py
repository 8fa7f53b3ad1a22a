"""The supporter's message: the text to start from, and the text that is recorded, by the page's setting `message`.

A campaign's `templates` are texts with placeholders such as `{{ person.given_name }}` (osdi.messages.templates).
Nothing is known of the supporter when the form is shown, so its text has words in brackets (message_labels). They are
filled in when the form is posted, also in a text that the supporter has changed.

Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from osdi.action_functions.followup_kinds import SMS_RESPONSE
from osdi.campaign_pages.message_labels import Labels, as_lines, bracketed_person, bracketed_targets, filled_in
from osdi.campaign_pages.page_settings import ALL, FIXED, PROMPTS, PageSettings
from osdi.campaign_pages.targets import InvalidChoice, Target, Values
from osdi.fields.limits import MAX_ANONYMOUS_TEXT_LENGTH
from osdi.mail.html_tags import is_html
from osdi.messages.template_check import Mistake
from osdi.messages.templates import TooLarge, render
from osdi.resources import ADVOCACY_CAMPAIGN

TEMPLATE, MESSAGE, PROMPT = "template", "message", "prompt"
# The place of the answers to prompts in a template. Without it they follow the text.
ANSWERS: Final = "[answers]"
# The reason why a message is invalid, besides those of osdi.campaign_pages.targets.
NO_TEMPLATE, TOO_LONG = "no_template", "too_long"


@dataclass(frozen=True)
class Message:
    """A text, and whether it has words of the supporter's own. The outreach stores `changed` as `own_words`."""

    text: str
    changed: bool = False


def start_texts(campaign: Mapping[str, Any], page: PageSettings, labels: Labels) -> tuple[str, ...]:
    """Returns the texts that a form offers, one for each of the campaign's templates, with labels in brackets."""
    person = bracketed_person([field.name for field in page.fields if field.name], labels)
    targets = _known_targets(campaign, page)
    values = _values(campaign, person, bracketed_targets(labels) if targets is None else targets)
    return tuple(_render(template, values) for template in campaign.get("templates", ()))


def text_of(
    values: Values,
    campaign: Mapping[str, Any],
    page: PageSettings,
    labels: Labels,
    person: Mapping[str, Any],
    targets: Sequence[Target] | None,
) -> Message | None:
    """Returns the message of a posted form; None if there is none.

    `person` is that of the helper's body. `targets` is None while the supporter has not chosen them. An empty text is
    the one to start from. Raises InvalidChoice.
    """
    templates: Sequence[str] = campaign.get("templates", ())
    template = templates[_template_number(values, templates)] if templates else ""
    shown = bracketed_targets(labels) if targets is None else targets
    start = _render(template, _values(campaign, as_lines(person), shown))
    rule = page.message.rule
    if rule == PROMPTS:
        return _with_answers(start, values.getlist(PROMPT)[: len(page.message.prompts)])
    written = values.getlist(MESSAGE)
    offered = start_texts(campaign, page, labels)
    if rule == FIXED or (written and (not written[0].strip() or compared(written[0]) in map(compared, offered))):
        return Message(start) if start else None
    if not written:
        return None
    text = filled_in(_lines(written[0]), labels, person, targets)
    if len(text) > MAX_ANONYMOUS_TEXT_LENGTH:
        raise InvalidChoice(MESSAGE, TOO_LONG)
    return Message(text, changed=True)


def script_of(campaign: Mapping[str, Any], person: Mapping[str, Any], targets: Sequence[Target]) -> str:
    """Returns the text that a supporter speaks in a call or visit: the campaign's templates, one after the other."""
    values = _values(campaign, as_lines(person), targets)
    return "\n\n".join(_render(template, values) for template in campaign.get("templates", ()))


def texts_for_each(
    campaign: Mapping[str, Any], person: Mapping[str, Any], targets: Sequence[Target], message: str
) -> tuple[str, ...]:
    """Returns the message to each target: a template is addressed to each, a changed text is the same for all."""
    lines = as_lines(person)
    if len(targets) > 1:
        for template in campaign.get("templates", ()):
            if compared(_render(template, _values(campaign, lines, targets))) == compared(message):
                return tuple(_render(template, _values(campaign, lines, [each])) for each in targets)
    return (message,) * len(targets)


def compared(text: str) -> str:
    """Returns a text in the form in which a changed one differs: browsers change line ends, people leave spaces."""
    return "\n".join(line.rstrip() for line in _lines(text).split("\n")).strip()


def _template_number(values: Values, templates: Sequence[str]) -> int:
    sent = [value.strip() for value in values.getlist(TEMPLATE) if value.strip()]
    numbers = [str(number) for number in range(len(templates))]
    if any(value not in numbers for value in sent):
        raise InvalidChoice(TEMPLATE, NO_TEMPLATE)
    return int(sent[0]) if sent else 0


def _with_answers(start: str, sent: Sequence[str]) -> Message | None:
    """Returns the text with the answers to prompts, a paragraph each. Raises InvalidChoice."""
    answers = "\n\n".join(_lines(answer).strip() for answer in sent if answer.strip())
    before, marker, after = start.partition(ANSWERS)
    parts = (before, answers, after) if marker else (start, answers)
    text = "\n\n".join(part.strip() for part in parts if part.strip())
    if len(answers) > MAX_ANONYMOUS_TEXT_LENGTH or (answers and len(text) > MAX_ANONYMOUS_TEXT_LENGTH):
        raise InvalidChoice(PROMPT, TOO_LONG)
    return Message(text, changed=bool(answers)) if text else None


def _known_targets(campaign: Mapping[str, Any], page: PageSettings) -> Sequence[Target] | None:
    """Returns the targets of every supporter; None if each has others."""
    targets: Sequence[Target] = campaign.get("target_list", ())
    return targets if page.targets.selection == ALL or not targets else None


def _render(template: str, values: Mapping[str, Any]) -> str:
    """Returns the filled template as plain text; as it is written, if it is no valid template."""
    plain = _plain(template)
    try:
        return render({"body": plain}, None, values, SMS_RESPONSE).text
    except (Mistake, TooLarge):
        return plain.strip()


@lru_cache(maxsize=200)
def _plain(template: str) -> str:
    """Returns a template, which may be HTML, as plain text with uniform line ends."""
    if not is_html(template):
        return _lines(template)
    from osdi.mail.html_text import text_of  # Beautiful Soup takes 2 MB, and few templates are HTML

    return text_of(template)


def _lines(text: str) -> str:
    return "\n".join(text.splitlines())


def _values(campaign: Mapping[str, Any], person: Mapping[str, Any], targets: Sequence[Target]) -> dict[str, Any]:
    """Returns the values of a template, with the names of osdi.messages.template_fields."""
    shown = {name: campaign[name] for name in ADVOCACY_CAMPAIGN.fields if name in campaign}
    listed = list(targets)
    outreach = {"targets": listed, **({"type": campaign["type"]} if "type" in campaign else {})}
    return {"person": person, "outreach": outreach, "targets": listed, "campaign": shown}
