"""Opt-outs of a row are stored with the person who is there when the row is written."""

import pytest
from flask import Flask

from blueprints.http.context import EXTENSION
from osdi.access.tokens import IMPORTER
from osdi.importing.csv_files.row_consent import CALLS
from osdi.importing.row_opt_outs import opt_out_everywhere
from osdi.people.merge import merge_stored_people
from osdi.settings import Settings
from osdi.store import Store
from tests.support.client import Client
from tests.support.factories import RULES


def created(api: Client, number: str) -> str:
    person = api.created("/people", {"given_name": "Jane", "phone_numbers": [{"number": number}]})
    return str(person["_links"]["self"]["href"].rsplit("/", 1)[1])


def test_they_are_the_survivors_if_the_person_was_merged_since(
    api: Client, app: Flask, store: Store, settings: Settings
) -> None:
    survivor, other = created(api, "+16175550101"), created(api, "+16175550102")
    merge_stored_people(store, survivor, other, RULES)

    warnings = opt_out_everywhere(
        store, app.extensions[EXTENSION].reference.find, settings, other, {CALLS}, caller=IMPORTER
    )

    numbers = api.get(f"/people/{survivor}").json["phone_numbers"]
    assert [each["do_not_call"] for each in numbers] == [True, True]
    assert warnings == []


@pytest.mark.parametrize("person_id", ["", "01938f81-90a5-78cd-9d75-ad276c525228"])
def test_they_are_nobodys_if_the_person_was_erased_since(
    api: Client, app: Flask, store: Store, settings: Settings, person_id: str
) -> None:
    reference = app.extensions[EXTENSION].reference

    assert opt_out_everywhere(store, reference.find, settings, person_id, {CALLS}, caller=IMPORTER) == []
