"""The controls of the editor: their values for a stored campaign, and the bodies of the API that a sent form means.

A control is named by its path in the API's body; those of the page's settings begin with `page.`. The stored campaign
is turned into controls and then into bodies, too, and only what differs is sent on. So a value that the form cannot
show exactly, such as the seconds of a date, stays as it is until somebody changes it.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from osdi.campaign_pages.page_settings import FORM_FIELDS, PageSettings
from osdi.documents import Json, ReadOnlyDocument

Typed = Mapping[str, str]

TEXTS: Final = ("title", "name", "summary", "description", "type", "targets", "featured_image_url")
SETTINGS: Final = (
    *("slug", "language", "closed_message", "goal", "show_count_from", "privacy_url", "colour", "logo_url"),
    *("targets.selection", "targets.preselected", "message.rule", "consent.text", "consent.list", "consent.tag"),
    *("thank_you.text", "thank_you.redirect_url"),
)
CHECKBOXES: Final = ("share", "consent.confirm_by_mail")
CHECKED: Final = "yes"
# A longer list of targets is left to the API: each target has ten controls.
MAX_EDITED_TARGETS: Final = 100
TARGETS_SHOWN: Final = "target_list.shown"
NEW_TARGETS: Final = 2
TARGET_TEXTS: Final = ("title", "given_name", "family_name", "organization", "ocdid")
# The contact details of a target in the form: control, array, and property of its first entry.
TARGET_CONTACTS: Final = (("email", "email_addresses", "address"), ("phone", "phone_numbers", "number"))
NO, OPTIONAL, REQUIRED = "no", "optional", "required"
ROW: Final = re.compile(r"(?P<array>templates|target_list|page\.fields)\[(?P<row>\d{1,4})\](?:\.(?P<name>\w+))?")


def controls_of(campaign: ReadOnlyDocument, zone: ZoneInfo) -> dict[str, str]:
    """Returns the value of each control for a stored campaign; times are those of the zone."""
    settings = PageSettings.of(campaign)
    shown = {name: str(campaign.get(name) or "") for name in TEXTS}
    for name in SETTINGS:
        value = _setting(settings, name)
        shown[f"page.{name}"] = "" if value is None else str(value)
    for name in CHECKBOXES:
        shown[f"page.{name}"] = CHECKED if _setting(settings, name) else ""
    shown["page.message.prompts"] = "\n".join(settings.message.prompts)
    shown["page.closes_at"] = ""
    if settings.closes_at:
        local = settings.closes_at.replace(tzinfo=dt.UTC).astimezone(zone)
        shown["page.closes_at"] = local.strftime("%Y-%m-%dT%H:%M")
    for number, text in enumerate((*campaign.get("templates", ()), "")):
        shown[f"templates[{number}]"] = text
    return shown | dict(_target_controls(campaign)) | dict(_field_controls(settings))


def osdi_body(typed: Typed) -> Json:
    """Returns the body of a PUT for the campaign that a form means: null for an empty text."""
    body: Json = {name: _text(typed[name]) for name in TEXTS if name in typed}
    rows = _rows(typed, "templates")
    if rows:
        body["templates"] = [text for row in rows.values() if (text := _text(row[""]))]
    if TARGETS_SHOWN in typed:
        body["target_list"] = [target for row in _rows(typed, "target_list").values() if (target := _target(row))]
    return body


def page_body(typed: Typed, zone: ZoneInfo) -> Json:
    """Returns the body of a PUT for the settings of the page that a form means: null for the default."""
    body: Json = {}
    for name in SETTINGS:
        if f"page.{name}" in typed:
            _put_in(body, name, _text(typed[f"page.{name}"]))
    for name in CHECKBOXES:
        _put_in(body, name, typed.get(f"page.{name}") == CHECKED)
    prompts = (_text(typed.get("page.message.prompts", "")) or "").splitlines()
    _put_in(body, "message.prompts", [line.strip() for line in prompts if line.strip()] or None)
    body["closes_at"] = _moment(typed.get("page.closes_at", ""), zone)
    fields = [row for _, row in _asked_fields(typed)]
    return {**body, "fields": [_form_field(row) for row in fields]}


def difference(body: Json, stored: Json) -> Json:
    """Returns what differs between two bodies, also inside their objects."""
    found: Json = {}
    for name, value in body.items():
        if isinstance(value, dict) and isinstance(stored.get(name), dict):
            value = difference(value, stored[name])
            if value:
                found[name] = value
        elif name not in stored or value != stored[name]:
            found[name] = value
    return found


def control_of(path: str, typed: Typed) -> str:
    """Returns the control for a path of an error, such as `target_list[0].email_addresses[0].address`.

    The path counts the entries of the body, and a form has empty rows between them.
    """
    found = re.match(r"(target_list|page\.fields|templates)\[(\d+)\](.*)", path)
    if not found:
        return path
    array, entry, rest = found[1], int(found[2]), found[3]
    sent = _sent_rows(typed, array)
    row = f"{array}[{sent[entry] if entry < len(sent) else entry}]"
    for control, contacts, _ in TARGET_CONTACTS:
        if rest.startswith(f".{contacts}"):
            return f"{row}.{control}"
    if array == "target_list" and rest.removeprefix(".") not in TARGET_TEXTS:
        return f"{row}.title"
    if array == "page.fields" and rest not in (".question", ".label"):
        return f"{row}.show"
    return row + rest


def _sent_rows(typed: Typed, array: str) -> list[int]:
    """Returns the rows of the form that the entries of the body come from."""
    if array == "page.fields":
        return [number for number, _ in _asked_fields(typed)]
    rows = _rows(typed, array).items()
    return [number for number, row in rows if (_target(row) if array == "target_list" else _text(row[""]))]


def _rows(typed: Typed, array: str) -> dict[int, dict[str, str]]:
    """Returns the controls of each row of an array, by the row's number; a control without a name is ``""``."""
    found: dict[int, dict[str, str]] = {}
    for name, value in typed.items():
        match = ROW.fullmatch(name)
        if match and match["array"] == array and bool(match["name"]) != (array == "templates"):
            found.setdefault(int(match["row"]), {})[match["name"] or ""] = value
    return dict(sorted(found.items()))


def _target_controls(campaign: ReadOnlyDocument) -> Iterator[tuple[str, str]]:
    targets = campaign.get("target_list", ())
    if len(targets) > MAX_EDITED_TARGETS:
        return
    yield TARGETS_SHOWN, CHECKED
    for number, target in enumerate((*targets, *({} for _ in range(NEW_TARGETS)))):
        row = f"target_list[{number}]"
        yield f"{row}.stored", orjson.dumps(target).decode() if target else ""
        for name in TARGET_TEXTS:
            yield f"{row}.{name}", str(target.get(name, ""))
        for control, array, name in TARGET_CONTACTS:
            first: Json = next(iter(target.get(array, ())), {})
            yield f"{row}.{control}", str(first.get(name, ""))


def _target(row: Mapping[str, str]) -> Json:
    """Returns the target of a row: the stored one, which may have further properties, with the texts of the form."""
    if row.get("remove") == CHECKED:
        return {}
    target = _stored(row.get("stored", ""))
    for name in TARGET_TEXTS:
        _set(target, name, _text(row.get(name, "")))
    for control, array, name in TARGET_CONTACTS:
        value = _text(row.get(control, ""))
        entries = [each for each in target.get(array) or () if isinstance(each, dict)]
        first: Json = entries[0] if entries else {}
        others = entries[1:]
        if value:
            target[array] = [{**first, name: value}, *others]
        elif first.get(name):
            _set(target, array, others)
    return target


def _stored(text: str) -> Json:
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _field_controls(settings: PageSettings) -> Iterator[tuple[str, str]]:
    asked = {field.name for field in settings.fields}
    rows = [
        (field.name or "", field.question or "", REQUIRED if field.required else OPTIONAL, field.label or "")
        for field in settings.fields
    ]
    rows += [(name, "", NO, "") for name in FORM_FIELDS if name not in asked]
    for number, row in enumerate([*rows, ("", "", NO, "")]):
        for name, value in zip(("name", "question", "show", "label"), row, strict=True):
            yield f"page.fields[{number}].{name}", value
        yield f"page.fields[{number}].position", str(number + 1)


def _asked_fields(typed: Typed) -> list[tuple[int, dict[str, str]]]:
    """Returns the rows that the form of the page asks for, in the order of their positions, with their numbers."""
    asked = [(number, row) for number, row in _rows(typed, "page.fields").items() if row.get("show", NO) != NO]
    return sorted(asked, key=lambda each: _position(each[1]))


def _position(row: Mapping[str, str]) -> int:
    text = row.get("position", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 10_000


def _form_field(row: Mapping[str, str]) -> Json:
    named: Json = {name: text for name in ("name", "question", "label") if (text := _text(row.get(name, "")))}
    return {**named, "required": row.get("show") == REQUIRED}


def _setting(settings: PageSettings, name: str) -> Any:
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _put_in(body: Json, name: str, value: Any) -> None:
    outer, _, inner = name.rpartition(".")
    (body.setdefault(outer, {}) if outer else body)[inner] = value


def _set(target: Json, name: str, value: Any) -> None:
    if value:
        target[name] = value
    else:
        target.pop(name, None)


def _text(typed: str) -> str | None:
    """Returns a text with the line ends that are stored; None for a blank one."""
    return typed.replace("\r\n", "\n") if typed.strip() else None


def _moment(typed: str, zone: ZoneInfo) -> str | None:
    """Returns a local time with its offset from UTC. A text that is no time stays as it is, for the schema."""
    if not typed.strip():
        return None
    try:
        local = dt.datetime.fromisoformat(typed.strip())
    except ValueError:
        return typed
    return (local if local.tzinfo else local.replace(tzinfo=zone)).isoformat()
