"""Declares settings, reads them from the environment, and declares the settings of gunicorn.

A setting is a field of a frozen dataclass: the field has the name, the type and the default, its metadata the rest.
gunicorn.conf.py runs this file by its path and does not import it, since gunicorn's first process must keep no module
that its workers import anew after a reload. For that reason this file imports nothing of this project.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, TypeVar

from environs import Env, EnvValidationError, ValidationError, validate

KEY: Final = "setting"
INTRODUCTION: Final = "Some settings are wrong. Correct them in the environment (see docs/settings.md):"

Validator = Callable[[Any], object]
Table = TypeVar("Table")


class Group(StrEnum):
    """The sections of docs/settings.md, in their order."""

    DATABASE = "Database and addresses"
    SERVER = "Web server"
    ANONYMOUS = "Posts without a token"
    RATES = "Rate limits"
    REQUESTS = "Requests and data"
    ORGANISATION = "Organisation"
    FOLLOWUPS = "Follow-ups"
    WEBHOOKS = "Webhooks"
    STAFF = "Staff pages"
    OPERATIONS = "Privacy, logs and metrics"


@dataclass(frozen=True)
class Setting:
    """The part of a setting's declaration that a dataclass field has no place for.

    `description` is one line of Markdown. `validate` raises environs.ValidationError for a wrong value. A setting with
    several values, separated by commas, has `item`, which turns the text of one value into the value, or raises
    ValidationError. `normalize` changes a valid value. `default` is the text of the page where the default needs words.
    """

    description: str
    group: Group
    validate: Validator | None = None
    item: Callable[[str], object] | None = None
    normalize: Callable[[Any], object] | None = None
    default: str | None = None


def setting(
    description: str,
    group: Group,
    *,
    validate: Validator | None = None,
    item: Callable[[str], object] | None = None,
    normalize: Callable[[Any], object] | None = None,
    default: str | None = None,
) -> Mapping[str, Setting]:
    """Returns the metadata of a dataclass field that is a setting; see `Setting` for the arguments."""
    return {KEY: Setting(description, group, validate, item, normalize, default)}


def declaration(of: "Field[Any]") -> Setting:
    """Returns what `setting` has put into the metadata of a dataclass field."""
    found: Setting = of.metadata[KEY]
    return found


def read(table: type[Table], *others: type) -> Table:
    """Returns an instance of the dataclass `table` with the values of the environment, else the defaults.

    Raises EnvValidationError that names every wrong setting, those of the dataclasses `others` included.
    """
    env = Env(eager=False)
    found = [{each.name: _value(env, each) for each in fields(one)} for one in (table, *others)]
    try:
        env.seal()
    except EnvValidationError as error:
        wrong: Mapping[str, Sequence[str]] = error.error_messages  # type: ignore[assignment]  # for a sealed Env
        lines = (f"  {name}: {' '.join(messages)}" for name, messages in wrong.items())
        raise EnvValidationError("\n".join((INTRODUCTION, *lines)), error.error_messages) from None
    return table(**{each.name: _normalized(each, found[0][each.name]) for each in fields(table)})  # type: ignore[arg-type]


def _value(env: Env, of: "Field[Any]") -> Any:
    """Returns the value of a setting as environs reads it; None for a wrong one, which `env.seal` reports."""
    declared, name = declaration(of), of.name.upper()
    if declared.item is not None:
        return env.list(name, of.default, validate=_list_validator(declared.item, declared.validate))
    parsers: Mapping[object, Callable[..., Any]] = {str: env.str, int: env.int, float: env.float, bool: env.bool}
    return parsers[of.type](name, of.default, validate=declared.validate)


def _list_validator(item: Callable[[str], object], validate: Validator | None) -> Validator:
    """Returns a validator of lists, whose error has the message of each wrong item.

    The list field of environs would take `item` too, but reports the positions of wrong items and not their messages.
    """

    def validator(texts: Sequence[str]) -> None:
        found: list[object] = []
        messages: list[str] = []
        for text in texts:
            try:
                found.append(item(text))
            except ValidationError as error:
                messages += map(str, error.messages)
        if messages:
            raise ValidationError(messages)
        if validate:
            validate(found)

    return validator


def _normalized(of: "Field[Any]", value: Any) -> Any:
    declared = declaration(of)
    if value is of.default:
        return value
    if declared.item is not None:
        return tuple(map(declared.item, value))
    return declared.normalize(value) if declared.normalize else value


SECONDS: Final = validate.Range(0.1, 600)


@dataclass(frozen=True)
class ServerSettings:
    """The settings of gunicorn."""

    host: str = field(
        default="0.0.0.0",  # noqa: S104  # a server that only this machine reaches would be useless in a container
        metadata=setting(
            "Address that gunicorn listens on. `make run` uses `127.0.0.1`. Write an IPv6 address in brackets: `[::]`.",
            Group.SERVER,
            validate=validate.Length(min=1, error="Set an address, such as 127.0.0.1 or [::]."),
        ),
    )
    port: int = field(
        default=5000,
        metadata=setting("Port that gunicorn listens on.", Group.SERVER, validate=validate.Range(1, 65_535)),
    )
    web_concurrency: int = field(
        default=2, metadata=setting("Number of gunicorn's worker processes.", Group.SERVER, validate=validate.Range(1))
    )
    web_threads: int = field(
        default=4,
        metadata=setting("Number of threads in each worker process.", Group.SERVER, validate=validate.Range(1)),
    )
    head_seconds: float = field(
        default=5.0,
        metadata=setting("Time that a client has to send the head of a request.", Group.SERVER, validate=SECONDS),
    )
    # More than enough for the longest body on a slow line. Two slow clients in a row still leave time for a third one.
    body_seconds: float = field(
        default=8.0,
        metadata=setting("Time that a client has to send the body of a request.", Group.SERVER, validate=SECONDS),
    )
    silence_seconds: float = field(
        default=5.0,
        metadata=setting(
            "Time that the server waits for the next piece of a request, or for a client to read the next piece of a "
            "response.",
            Group.SERVER,
            validate=SECONDS,
        ),
    )
