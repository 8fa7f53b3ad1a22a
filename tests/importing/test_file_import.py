"""Rows without a batch are imported side by side in groups: no two of a group may be of one person or outreach.

Python looks for cycles of unused objects less often while a file is imported.
"""

import gc
from typing import Any

import pytest
from flask import Flask

from blueprints.http.context import EXTENSION
from osdi.importing.batches.single_rows import groups, prepared
from osdi.importing.csv_files.column_mapping import OUTREACHES
from osdi.importing.importer import Choices, RowImporter
from osdi.importing.loading.garbage import rare_collections
from osdi.importing.sources import Item
from osdi.settings import Settings
from osdi.store import Store
from schemas.import_bodies import load_body
from tests.support import factories
from tests.support.client import Client


def linked(api: Client, email: str) -> dict[str, Any]:
    href = api.recorded(factories.by_email(email))["_links"]["osdi:person"]["href"]
    return {"_links": {"osdi:person": {"href": href}}, "message": "x"}


@pytest.mark.parametrize(
    ("bodies", "sizes"),
    [
        (lambda jane, john: [jane, john], [2]),
        (lambda jane, john: [jane, jane], [1, 1]),
        (lambda jane, john: [jane, john, jane], [2, 1]),
        (lambda jane, john: [{**jane, "identifiers": ["a:1"]}, {**john, "identifiers": ["a:1"]}], [1, 1]),
        (lambda jane, john: [factories.by_email("a@example.com"), factories.by_email("A@example.com")], [1, 1]),
        (lambda jane, john: [factories.by_email("a@example.com"), factories.by_email("b@example.com")], [2]),
    ],
    ids=["two people", "one person twice", "one person again", "one outreach", "one address", "two addresses"],
)
def test_rows_of_one_person_or_outreach_are_in_different_groups(
    api: Client, app: Flask, store: Store, settings: Settings, bodies: Any, sizes: list[int]
) -> None:
    deployment = app.extensions[EXTENSION]
    importer = RowImporter(
        store, deployment.reference, settings, load_body, OUTREACHES, Choices(campaign_id=api.campaign_id)
    )
    made = bodies(linked(api, "jane@example.com"), linked(api, "john@example.com"))
    items = [Item(number, b"", body) for number, body in enumerate(made, 2)]

    found = list(groups(prepared(importer.loader.rows(items), importer)))

    assert [row.rejected for group in found for _, row in group] == [None] * len(made)
    assert [len(group) for group in found] == sizes


def test_the_process_collects_as_before_after_an_import_that_fails() -> None:
    before = gc.get_threshold()

    def interrupted() -> None:
        with rare_collections():
            thresholds.append(gc.get_threshold()[0])
            raise KeyboardInterrupt

    thresholds: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert thresholds[0] > 10 * before[0]
    assert gc.get_threshold() == before
