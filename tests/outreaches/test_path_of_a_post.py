"""The path of a post through the modules: resolve, match, merge, write, represent (docs/decisions/0024).

A module is entered when another module calls a function of it; calls in a row count once. Modules that every step
uses, such as osdi/ids, osdi/match_keys, osdi/values and the store, and properties of a result do not count as steps.
"""

import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import orjson
import pytest

from osdi.sample import create_sample
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

ROOT = Path(__file__).parents[2]
BODY = orjson.loads((ROOT / "blueprints" / "examples" / "record_outreach_request.json").read_bytes())
SHARED_MODULES = {"errors", "ids", "resources", "documents", "paging", "log", "match_keys", "retry", "etags"}
NOT_STEPS = (
    "osdi.store.",
    "osdi.values.",
    "osdi.access.tokens",
    "osdi.access.signing_keys",
    "osdi.action_functions.followup_kinds",
    *(f"osdi.{each}" for each in SHARED_MODULES),
)
MAX_ENTRIES = 2
# A body with every action function, and one without any.
MAX_MODULES = 16
MAX_MODULES_OF_SMALL_BODY = 14


def properties() -> Iterator[CodeType]:
    """Yields the code of every property: reading a property does not count as entering its module."""
    for name, module in list(sys.modules.items()):
        for found in vars(module).values() if name.startswith(("osdi.", "blueprints.")) else ():
            for attribute in vars(found).values() if isinstance(found, type) else ():
                if isinstance(attribute, property) and hasattr(attribute.fget, "__code__"):
                    yield attribute.fget.__code__
                elif isinstance(attribute, functools.cached_property) and hasattr(attribute.func, "__code__"):
                    yield attribute.func.__code__


def step_of(frame: FrameType) -> str | None:
    """Returns the module of a frame, if it is a step of the path; generated methods of dataclasses do not count."""
    name: str = frame.f_globals.get("__name__", "")
    if not name.startswith(("osdi.", "blueprints.")) or name.startswith(NOT_STEPS):
        return None
    return None if frame.f_code.co_filename == "<string>" else name


def entered(request: Callable[[], Any], view: str) -> list[str]:
    """Returns the modules that a request enters, in order, from a view's module on until the view returns."""
    modules: list[str] = []
    values = set(properties())
    views: list[FrameType] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and views and frame is views[0]:
            sys.setprofile(None)
        module = step_of(frame) if event == "call" and frame.f_code not in values else None
        if module == view and not views:
            views.append(frame)
        if module is None or not views:
            return
        caller = frame.f_back
        while caller is not None and step_of(caller) is None:
            caller = caller.f_back
        if (caller is None or step_of(caller) != module) and modules[-1:] != [module]:
            modules.append(module)

    sys.setprofile(profile)
    try:
        request()
    finally:
        sys.setprofile(None)
    return modules


@pytest.fixture
def prepared(api: Client, store: Store) -> Client:
    """A client of a server with all resources of the body, and the person."""
    create_sample(store, factories.RULES.namespace)
    api.recorded({**BODY, "identifiers": ["first:1"]})
    return api


def check(modules: list[str], most: int = MAX_MODULES) -> None:
    entries = Counter(modules)
    assert not {module: count for module, count in entries.items() if count > MAX_ENTRIES}
    assert len(entries) <= most, " ".join(modules)


def test_outreach_passes_each_module_twice_at_most(prepared: Client) -> None:
    body = {**BODY, "identifiers": ["second:1"], "person": {**BODY["person"], "family_name": "Changed"}}

    modules = entered(lambda: prepared.recorded(body), "blueprints.record_outreach_helper")

    check(modules)


def test_outreach_without_action_functions_passes_fewer_modules(prepared: Client) -> None:
    person = {"given_name": "Jane", "email_addresses": [{"address": "jane@example.com"}]}

    modules = entered(lambda: prepared.recorded({"person": person}), "blueprints.record_outreach_helper")

    check(modules, MAX_MODULES_OF_SMALL_BODY)


def test_signup_passes_each_module_twice_at_most(prepared: Client) -> None:
    body = {"person": {**BODY["person"], "family_name": "Changed"}, "add_tags": ["volunteer"]}

    modules = entered(lambda: prepared.created("/people", body), "blueprints.people")

    check(modules)


def test_the_steps_come_in_order(prepared: Client) -> None:
    body = {**BODY, "identifiers": ["second:1"]}
    steps = ["action_functions.resolve", "people.matching", "people.merge_rules", "hal"]

    modules = entered(lambda: prepared.recorded(body), "blueprints.record_outreach_helper")

    places = [modules.index(f"osdi.{step}") for step in steps]
    assert places == sorted(places)
