"""A client for the tests: posts JSON, sends the token or leaves it out, follows links."""

import json
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from osdi.access.tokens import new_token
from osdi.resources import API
from osdi.store.indexes import TOKENS


class Client:
    """Speaks to one application over WSGI."""

    def __init__(self, http: FlaskClient, token: str) -> None:
        self.http = http
        self.token = token
        self.campaign_id = ""

    def get(self, address: str, *, token: bool | str = True, **options: Any) -> TestResponse:
        """GET a path under the API's root, or a link's href."""
        return self.http.get(self._path(address), headers=self._headers(token, options), **options)

    def post(self, address: str, body: Any, *, token: bool | str = True, **options: Any) -> TestResponse:
        """POST a body as JSON; bytes and strings go as they are."""
        sent = body if isinstance(body, bytes | str) else json.dumps(body)
        options.setdefault("content_type", "application/json")
        return self.http.post(self._path(address), data=sent, headers=self._headers(token, options), **options)

    def put(self, address: str, body: Any, *, token: bool | str = True, **options: Any) -> TestResponse:
        """PUT a body as JSON."""
        headers = self._headers(token, options)
        return self.http.put(self._path(address), data=json.dumps(body), headers=headers, **options)

    def delete(self, address: str, *, token: bool | str = True, **options: Any) -> TestResponse:
        """DELETE a resource."""
        return self.http.delete(self._path(address), headers=self._headers(token, options), **options)

    def record(
        self, body: Any, *, token: bool | str = True, campaign: str | None = None, **options: Any
    ) -> TestResponse:
        """POST to the Record Outreach Helper of the test's campaign."""
        path = f"/advocacy_campaigns/{campaign or self.campaign_id}/record_outreach_helper"
        return self.post(path, body, token=token, **options)

    def recorded(self, body: Any, **options: Any) -> dict[str, Any]:
        """Record with a token and return the outreach; the test fails unless the status is 200."""
        response = self.record(body, **options)
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(response.json)

    def created(self, address: str, body: Any) -> dict[str, Any]:
        """POST to a collection and return the resource; the test fails unless the status is 200."""
        response = self.post(address, body)
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(response.json)

    def follow(self, resource: dict[str, Any], relation: str) -> dict[str, Any]:
        """The resource behind a link."""
        response = self.get(resource["_links"][relation]["href"])
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(response.json)

    def _path(self, address: str) -> str:
        if address.startswith("http"):
            parts = urlsplit(address)
            return parts.path + (f"?{parts.query}" if parts.query else "")
        return API + address

    def _headers(self, token: bool | str, options: dict[str, Any]) -> dict[str, str]:
        headers = dict(options.pop("headers", {}))
        if token:
            headers["OSDI-API-Token"] = self.token if token is True else token
        return headers


def new_client(app: Flask, database: Database, campaign: dict[str, Any]) -> Client:
    """Stores a token of every scope, and the campaign; returns a client with both."""
    secret, token = new_token("tests")
    database[TOKENS].insert_one(token)
    database.advocacy_campaigns.insert_one(campaign)
    client = Client(app.test_client(), secret)
    client.campaign_id = campaign["_id"]
    return client
