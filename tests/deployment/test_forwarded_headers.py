"""Forwarded headers in gunicorn: the server uses them only with TRUSTED_PROXIES, from every client address."""

from collections.abc import Iterator

import pytest
import requests

from osdi.resources import API
from tests.support.live import Live

SECONDS = 30
# From a proxy that it believes gunicorn takes the first three for the scheme, and SCRIPT_NAME for where we are mounted.
SAID = [
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Ssl": "on"},
    {"X-Forwarded-Protocol": "ssl", "X-Forwarded-Proto": "http"},
    {"SCRIPT_NAME": "/api"},
    {"SCRIPT_NAME": "/elsewhere"},
    {"PATH_INFO": "/healthz"},
]


@pytest.fixture(scope="module", params=["127.0.0.1", "*"])
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    """The server with what a platform's buildpack sets for gunicorn, and no proxy that is trusted."""
    environment = {"MONGODB_URI": "mongomock://", "TRUSTED_PROXIES": "0", "PUBLIC_URL": ""}
    with Live({**environment, "FORWARDED_ALLOW_IPS": request.param}) as started:
        yield started


@pytest.mark.parametrize("forwarded", SAID, ids=lambda forwarded: " ".join(forwarded))
def test_changes_nothing_where_no_proxy_is_trusted(live: Live, forwarded: dict[str, str]) -> None:
    response = requests.get(f"{live.url}{API}/", headers=forwarded, timeout=SECONDS)

    assert response.status_code == 200
    assert response.json()["_links"]["self"]["href"] == f"{live.url}{API}"
