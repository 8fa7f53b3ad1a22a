"""Adapts flask-smorest to OSDI: error format, token, JSON for every content type, and their documentation.

A decorator that adds behaviour also documents its status codes, so the OpenAPI document cannot miss one.
"""

import http
import inspect
import threading
from collections.abc import Callable, Set
from functools import wraps
from typing import Any, Final, NoReturn

import flask_smorest
import marshmallow as ma
import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from flask import Flask, Request, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException, NotFound

from blueprints.browser.error_page import asks_for_page, error_page
from blueprints.http.access import TOKEN_ARGUMENT, TOKEN_HEADER, authorize
from blueprints.http.body import max_body_bytes, prefers_strict_handling, request_body
from blueprints.http.context import BACKGROUND
from blueprints.http.request_log import failed_by, request_id
from osdi import log
from osdi.errors import ErrorDescription, OsdiError, WriteConflict, invalid, invalid_properties, too_large, unavailable
from osdi.store.schema_version import WrongDatabase
from schemas.base.common import STRICT
from schemas.base.error import ErrorSchema

HAL_JSON: Final = "application/hal+json"
EXAMPLE_URL: Final = b"https://osdi.example.org"
EXAMPLE_REQUEST_ID: Final = "01a20a71-74b6-7406-a578-4e870a3dd118"
# The document names the header only: Swagger UI would put a token for the query argument into URLs, which logs contain.
TOKEN_SCHEMES: Final[list[dict[str, list[str]]]] = [{TOKEN_HEADER: []}]
TOKEN_DESCRIPTION: Final = (
    f"A client that cannot send a header may send the token as the query argument `{TOKEN_ARGUMENT}`. Avoid that: "
    "URLs are written to logs."
)


View = Callable[..., Any]

# The documentation of a response to a POST that creates a resource.
LOCATION: Final = {"Location": {"description": "The URL of the resource.", "schema": {"type": "string"}}}
BODY_PARAMETERS: Final = (
    {
        "in": "header",
        "name": "Prefer",
        "schema": {"type": "string"},
        "description": "`handling=strict` (RFC 7240) rejects what is ignored or skipped otherwise: unknown fields, "
        "tags, lists and arguments, and in the helpers invalid optional values.",
    },
    {
        "in": "query",
        "name": "background_request",
        "schema": {"type": "boolean"},
        "description": "True: the response is an empty object. The server stores everything before it responds.",
    },
)

ERROR_RESPONSES: Final[dict[int, tuple[str, dict[str, str]]]] = {
    301: ("The person was merged into another one; `Location` has its URL.", {"Location": "The URL."}),
    400: ("The request is invalid; the response names the invalid properties, and nothing was written.", {}),
    401: ("The token is invalid, or a required token is missing.", {"WWW-Authenticate": "OSDI-API-Token"}),
    403: ("The token lacks a scope, or is scoped to another campaign.", {}),
    404: ("There is no resource under this URL.", {}),
    408: ("The body did not arrive in time.", {}),
    409: ("The request contradicts stored data, for example by identifiers of different resources.", {}),
    410: ("What the request refers to is not kept any more.", {}),
    412: ("The resource has changed since the ETag in If-Match was read.", {}),
    413: ("The body, or the resource that it would change, is too large.", {}),
    422: ("The Idempotency-Key was already used with another body.", {}),
    429: ("There were too many requests.", {"Retry-After": "Seconds to wait."}),
    500: ("The server failed; its log has the details under the `reference_code`.", {}),
    503: ("The database does not respond; send the request again later.", {"Retry-After": "Seconds to wait."}),
}


class Parser(FlaskParser):
    """Reads a request's arguments; invalid ones are a 400 that names the properties."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {"query": ma.EXCLUDE, "json": None}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Returns the body as JSON for every content type, and sets the strictness of the schemas."""
        body = request_body()
        STRICT.set(body.strict)
        return body.json

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,
        schema: ma.Schema,
        *,
        error_status_code: int | None,
        error_headers: Any,
    ) -> NoReturn:
        messages = error.messages
        wrong = next(iter(messages.values())) if isinstance(messages, dict) else messages
        raise invalid_properties(wrong, resource=getattr(schema, "rel", None)) from error


class Blueprint(flask_smorest.Blueprint):
    """Blueprint whose views state the token that they need and the error statuses that they return."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: ma.Schema, *, location: str = "json", **kwargs: Any) -> Callable[[View], View]:
        """Like flask-smorest's, for a schema instance only: webargs would instantiate a class at every request."""
        decorator: Callable[[View], View] = super().arguments(schema, location=location, **kwargs)
        if location == "query":
            names = (field.data_key or name for name, field in schema.load_fields.items())
            known = (*names, *getattr(schema, "undocumented", ()))
            return lambda view: _documented(decorator(view), query=known)
        if location != "json":
            return decorator
        return lambda view: _documented(decorator(view), errors=(408, 413), parameters=BODY_PARAMETERS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(self._prepare_access_doc)

    @staticmethod
    def token_required(scope: str) -> Callable[[View], View]:
        """Requires a token with this scope."""
        return _access(scope, optional=False)

    @staticmethod
    def token_optional(scope: str | None) -> Callable[[View], View]:
        """Allows calls without a token; a token that is sent must be valid and have this scope, if one is given."""
        return _access(scope, optional=True)

    @staticmethod
    def if_match(view: View) -> View:
        """Documents that the view checks the optional header If-Match against the resource's ETag."""
        parameter: dict[str, Any] = {
            "in": "header",
            "name": "If-Match",
            "schema": {"type": "string"},
            "description": "The ETag that the resource had when it was read; it is changed only if it still has it.",
        }
        return _documented(view, errors=(412,), parameters=(parameter,))

    @staticmethod
    def errors(*statuses: int) -> Callable[[View], View]:
        """Documents the error statuses of the view."""
        return lambda view: _documented(view, errors=statuses)

    @staticmethod
    def _prepare_access_doc(doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
        access = doc_info["access"]
        doc["parameters"] = [*doc.get("parameters", ()), *doc_info.get("parameters", ())]
        doc["operationId"] = access["operation"]
        doc["security"] = access["security"]
        responses = doc.setdefault("responses", {})
        for status in sorted({*access["statuses"], *doc_info.get("errors", ()), 500}):
            responses[str(status)] = http.HTTPStatus(status).name
        return doc


class Api(flask_smorest.Api):
    """The generated OpenAPI document, and error responses in OSDI's format.

    Views are documented when the document is first read, because that takes half of an application's start time.
    """

    DEFAULT_ERROR_RESPONSE_NAME = None
    DEFAULT_RESPONSE_CONTENT_TYPE = HAL_JSON
    ERROR_SCHEMA = ErrorSchema

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        self._undocumented: list[Blueprint] = []
        self._documenting = threading.RLock()
        super().__init__(app, **kwargs)

    @property
    def spec(self) -> APISpec:
        """The OpenAPI document of all registered blueprints."""
        with self._documenting:
            while self._undocumented:
                blueprint = self._undocumented.pop(0)
                blueprint.register_views_in_doc(self, self._app, self._spec, name=blueprint.name, parameters=None)
                self._spec.tag({"name": blueprint.name, "description": blueprint.description})
            return self._spec

    @spec.setter
    def spec(self, spec: APISpec) -> None:
        self._spec = spec

    def register_blueprint(self, blueprint: "Blueprint") -> None:
        """Registers the blueprint's views; they are documented later."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undocumented.append(blueprint)

    def init_app(self, app: Flask, **kwargs: Any) -> None:
        super().init_app(app, **kwargs)
        app.before_request(_check_address)
        app.register_error_handler(OsdiError, error_response)
        app.register_error_handler(
            WriteConflict,
            lambda conflict: error_response(unavailable("Another request was faster; retry.", seconds=1), conflict),
        )
        # A broken chunk of a body that is read as a form (see blueprints/http/body.py for other bodies).
        app.register_error_handler(ParseException, lambda _: error_response(invalid("The body could not be read.")))
        scheme = {"type": "apiKey", "in": "header", "name": TOKEN_HEADER, "description": TOKEN_DESCRIPTION}
        self.spec.components.security_scheme(TOKEN_HEADER, scheme)

    def document(self, public_url: str) -> dict[str, Any]:
        """Returns the OpenAPI document; the links of its examples begin with `public_url`, if that is set."""
        content = orjson.dumps(self.spec.to_dict())
        found: dict[str, Any] = orjson.loads(content.replace(EXAMPLE_URL, public_url.encode() or EXAMPLE_URL))
        return found

    def _register_pagination_header(self) -> None:
        """Adds no component: OSDI's page envelope has no such header."""

    def _register_responses(self) -> None:
        """Adds a description and an example of every error response to the document."""
        for status, (description, headers) in ERROR_RESPONSES.items():
            reference_code = EXAMPLE_REQUEST_ID if status >= 500 else None
            example = OsdiError(status, ErrorDescription("CODE", description)).body(reference_code)
            response: dict[str, Any] = {
                "description": description,
                "content": {HAL_JSON: {"schema": self.ERROR_SCHEMA, "example": example}},
            }
            if headers:
                response["headers"] = {
                    name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
                }
            self.spec.components.response(http.HTTPStatus(status).name, response, lazy=True)

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Returns Werkzeug's errors in OSDI's format: unknown routes, wrong methods, and unexpected exceptions."""
        status = error.code or 500
        if status == 413:
            return error_response(too_large(max_body_bytes()))
        if status >= 500:
            description = ErrorDescription("UNEXPECTED", "The server failed; the request was not the cause.")
        else:
            description = ErrorDescription(error.name.upper().replace(" ", "_"), error.description or error.name)
        headers = {name: value for name, value in error.get_headers() if name.lower() not in ("content-type",)}
        failure = getattr(error, "original_exception", None) or error
        return error_response(OsdiError(status, description, headers=headers), failure)


def _check_address() -> None:
    """Gives an address that begins with two slashes no route, and rejects HTTP/1.1 without Host (RFC 9112, 3.2).

    gunicorn and Werkzeug drop the second slash, so a proxy that guards an address by its prefix would be passed.
    """
    environ = request.environ
    if environ.get("RAW_URI", "").startswith("//") or environ["PATH_INFO"].startswith("//"):
        request.url_rule, request.view_args, request.routing_exception = None, None, NotFound()
    if "HTTP_HOST" not in environ and environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
        raise invalid("HTTP/1.1 needs the header Host.", "Host")


def error_response(error: OsdiError, failure: BaseException | None = None) -> Response:
    """Returns the error response as JSON, or as a page for a browser; for a 5xx status it logs the exception."""
    reference_code = None
    if isinstance(error, WrongDatabase):
        log.logger().error(str(error))  # only the operator can correct it
    g.rejected = error.descriptions[0].error_code
    if error.status >= 500:
        failed_by(failure or error)
        reference_code = request_id()
    if asks_for_page():
        response = error_page(error, reference_code)
    else:
        response = current_app.make_response(current_app.json.response(error.body(reference_code)))
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def _access(scope: str | None, *, optional: bool) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        known = frozenset((*BACKGROUND, *getattr(view, "_apidoc", {}).get("query", ())))

        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            authorize(scope, optional=optional)
            if "Prefer" in request.headers and prefers_strict_handling():
                _reject_unknown_arguments(known)
            return view(*args, **kwargs)

        security = [*TOKEN_SCHEMES, {}] if optional else TOKEN_SCHEMES
        access = {"operation": view.__name__, "security": security, "statuses": (401, 403, 429, 503)}
        return _documented(wrapper, access=access)

    return decorator


def _reject_unknown_arguments(known: Set[str]) -> None:
    """Raises OsdiError 400 for arguments of the address that no view of this route reads."""
    unknown = [name for name in request.args if name not in known and name.lower() != TOKEN_ARGUMENT]
    if unknown:
        raise invalid_properties({name: ["Unknown argument."] for name in unknown})


def _documented(view: View, **info: Any) -> View:
    """Adds documentation to the view, in a new dictionary, because the function inside it keeps its own."""
    known = getattr(view, "_apidoc", {})
    for several in ("errors", "parameters", "query"):
        info[several] = (*known.get(several, ()), *info.get(several, ()))
    view._apidoc = {**known, **info}  # type: ignore[attr-defined]
    return view


class SchemaDocstrings(MarshmallowPlugin):
    """Describes each schema of the document by its docstring."""

    def schema_helper(  # type: ignore[override]  # as the plugin itself overrides it
        self, name: Any, _: Any, schema: Any = None, **kwargs: Any
    ) -> Any:
        described = super().schema_helper(name, _, schema=schema, **kwargs)
        docstring = inspect.getdoc(type(resolve_schema_instance(schema))) if described else None
        return {"description": docstring, **described} if described and docstring else described
