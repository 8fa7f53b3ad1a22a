"""An opt-out that comes while an import runs counts for the imported people, also if nobody had the address yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.followups.unsubscribe import mark_bouncing, unsubscribe
from osdi.importing.batches import row_batches
from osdi.importing.batches.batch_store import BatchStore
from osdi.match_keys import email_key
from osdi.store import Store
from osdi.suppression.opt_outs import API, COMPLAINT, MAIL, TEXTS
from osdi.suppression.suppression_list import suppression_list

JANE = "jane@example.com"
NUMBER = "+1 617 555 0123"

# The opt-outs, and what the imported person then has.
OPT_OUTS: dict[str, tuple[Callable[[Store], object], dict[str, Any]]] = {
    "a link": (lambda store: unsubscribe(store, JANE), {"status": "unsubscribed"}),
    "a bounce": (lambda store: mark_bouncing(store, JANE), {"status": "bouncing"}),
    "a complaint": (
        lambda store: suppression_list(store).change(email_key(JANE), add={MAIL: COMPLAINT}),
        {"status": "spam complaints"},
    ),
    "a stricter one": (
        lambda store: suppression_list(store).change(email_key("kim@example.com"), add={MAIL: COMPLAINT}),
        {"status": "spam complaints"},
    ),
    "a number": (
        lambda store: suppression_list(store).change("phone:16175550123", add={TEXTS: API}),
        {"sms_capable": False},
    ),
}
ROWS = {"a stricter one": "kim@example.com"}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("known", [False, True], ids=["new people", "a known person gets the address"])
@pytest.mark.parametrize("place", ["before a batch is stored", "after a batch was read ahead"])
@pytest.mark.parametrize("opt_out", OPT_OUTS)
def test_the_imported_people_have_it(
    app: Flask,
    store: Store,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    opt_out: str,
    place: str,
    known: bool,
) -> None:
    act, expected = OPT_OUTS[opt_out]
    mark_bouncing(store, "kim@example.com")
    file = tmp_path / "people.csv"
    if known:
        file.write_text("identifiers,given_name\ncrm:1,Jane\n")
        assert app.test_cli_runner().invoke(args=["import", "people", str(file)]).exit_code == 0
    address = ROWS.get(opt_out, JANE)
    file.write_text(f"identifiers,email,phone,last_name\ncrm:1,{address},{NUMBER},Doe\ncrm:2,lee@example.com,,Lee\n")
    owner, name = (BatchStore, "flush") if place == "before a batch is stored" else (row_batches, "read_ahead")
    original, acts = getattr(owner, name), iter([act])

    def interleaved(*given: Any, **named: Any) -> Any:
        if name == "flush":
            next(acts, lambda _: None)(store)
            return original(*given, **named)
        found = original(*given, **named)
        next(acts, lambda _: None)(store)
        return found

    monkeypatch.setattr(owner, name, interleaved)
    result = app.test_cli_runner().invoke(args=["import", "people", str(file)])

    assert result.exit_code == 0, result.output
    person = database.people.find_one({"family_name": "Doe"})
    array = "phone_numbers" if "sms_capable" in expected else "email_addresses"
    assert expected.items() <= person[array][0].items()
    assert database.people.count_documents({}) == 2
