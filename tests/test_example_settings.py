"""Settings whose values are those of the documentation are found."""

from typing import Any

import pytest

from osdi.settings import Settings
from osdi.settings.example_values import example_values
from tests.deployment.test_deploy_files import example


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, []),
        ({"public_url": "https://osdi.riverton.org"}, []),
        ({"public_url": "https://osdi.example.org"}, ["PUBLIC_URL"]),
        ({"mail_from": "The River <hello@river.example>"}, ["MAIL_FROM"]),
        ({"vendor_name": "Friends of the River"}, ["VENDOR_NAME"]),
        ({"cors_origins": ("https://riverton.org", "https://www.example.com")}, ["CORS_ORIGINS"]),
        ({"vendor_name": "For example.organised people"}, []),
    ],
)
def test_names_of_the_documentation_are_found(changed: dict[str, Any], names: list[str]) -> None:
    assert example_values(Settings(mongodb_uri="mongomock://", **changed)) == names


def test_each_value_of_the_example_file_that_has_to_be_replaced_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in example().items():
        monkeypatch.setenv(name, value)

    found = example_values(Settings.from_environment())

    assert {"PUBLIC_URL", "VENDOR_NAME", "MAIL_FROM", "SMTP_URL"} <= set(found)
