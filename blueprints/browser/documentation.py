"""Pages for browsers: a landing page, explorers of the OpenAPI document and of the data, a page for each relation.

This server sends every file that they load, and the Content-Security-Policy makes browsers enforce that.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import orjson
from flask import Blueprint, Flask, Response, abort, current_app, make_response, render_template, url_for

from blueprints.browser.compressed_files import Asset, compressed_asset, compressed_response, immutable_response
from blueprints.browser.viewers import VIEWERS, check_packages, read_viewer
from blueprints.http.context import settings
from osdi.resources import API, HELPERS, OTHER_RELATIONS, OWN_RELATIONS, RESOURCES, STAFF_PAGES

EXTENSION: Final = "documentation"
OURS: Final = Path(__file__).parent / "assets"
# The modules of the HAL explorer import one another by name, so they have one version, which is their folder.
MODULES: Final = tuple(
    f"hal_{name}.js"
    for name in ("address", "client", "document", "dom", "editor", "explorer", "openapi", "response", "view")
)
UNSUBSCRIBE: Final = ("unsubscribe.css", "unsubscribe.js")
ASSETS: Final = (
    *("explorer.js", "explorer.css", "pages.css", "hal_explorer.css", "favicon.svg"),
    *("campaign_preview.js", "message_preview.js"),
    *UNSUBSCRIBE,
    *MODULES,
    *VIEWERS,
)

# ReDoc needs inline styles and data: fonts; both viewers need data: images.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# The HAL explorer shows what clients have posted. There the browser also blocks code that would parse text as HTML.
HAL_EXPLORER_POLICY: Final = POLICY.replace(" 'unsafe-inline'", "").replace(" data:", "") + (
    "; require-trusted-types-for 'script'; trusted-types 'none'"
)
# HAL browsers on other sites show the page of a relation in a frame. It has neither scripts nor forms.
RELATION_POLICY: Final = POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

# ReDoc loads its logo from the server of its maker, which would see every reader. An image of its name replaces it.
REDOC_LOGOS: Final = (b"https://cdn.redoc.ly/redoc/logo-mini-full.svg", b"https://cdn.redoc.ly/redoc/logo-mini.svg")
REDOC_NAME: Final = (
    b"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='34' height='12'%3E"
    b"%3Ctext y='10' font-family='sans-serif' font-size='10'%3ERedoc%3C/text%3E%3C/svg%3E"
)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


RELATIONS: Final = {
    **{resource.name: (_words(resource.name), resource.description) for resource in RESOURCES},
    **{
        resource.collection: (
            _words(resource.collection),
            f"The collection of {resource.collection.replace('_', ' ')}. {resource.description}",
        )
        for resource in RESOURCES
    },
    **{relation: (title, description) for relation, (_, title, description) in OTHER_RELATIONS.items()},
    **HELPERS,
    **{relation: (own.title, own.description) for relation, own in OWN_RELATIONS.items()},
}


@dataclass(frozen=True)
class Property:
    """A row in a relation's table: a property of the schema that the relation leads to."""

    name: str
    type: str
    description: str


class OpenApiDocument:
    """The OpenAPI document of an application, generated when it is first read."""

    def __init__(self, title: str, generate: Callable[[], dict[str, Any]]) -> None:
        self.title = title
        self._generate = generate

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document as a dict."""
        return self._generate()

    @cached_property
    def compressed(self) -> bytes:
        """The document as compressed JSON."""
        return gzip.compress(orjson.dumps(self.content, option=orjson.OPT_INDENT_2), mtime=0)


pages = Blueprint("documentation", __name__, template_folder="templates")


def add_pages(app: Flask, title: str, generate: Callable[[], dict[str, Any]]) -> None:
    """Adds the pages to an application. Raises RuntimeError if the package with the viewers is missing."""
    check_packages()
    app.extensions[EXTENSION] = OpenApiDocument(title, generate)
    app.register_blueprint(pages)


def _openapi_document() -> OpenApiDocument:
    found: OpenApiDocument = current_app.extensions[EXTENSION]
    return found


@pages.context_processor
def page_values() -> dict[str, Any]:
    """Returns the values that every page's template uses."""
    return {"title": _openapi_document().title, "asset_url": asset_url}


@pages.after_request
def with_headers(response: Response) -> Response:
    """Adds the headers of the pages, unless a page has set its own."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@pages.get("/")
def landing() -> str:
    """Show the landing page"""
    return render_template("landing.html", api=f"{API}/", staff_pages=STAFF_PAGES)


@pages.get("/docs")
def swagger_ui() -> str:
    """Show the OpenAPI document in Swagger UI"""
    return render_template("swagger_ui.html")


@pages.get("/explorer")
def hal_explorer() -> Response:
    """Show the HAL explorer"""
    response = make_response(render_template("hal_explorer.html", api=f"{API}/"))
    response.headers["Content-Security-Policy"] = HAL_EXPLORER_POLICY
    return response


@pages.get("/redoc")
def redoc() -> str:
    """Show the OpenAPI document in ReDoc"""
    return render_template("redoc.html")


@pages.get("/openapi.json")
def openapi_json() -> Response:
    """Send the OpenAPI document"""
    return compressed_response(_openapi_document().compressed, "application/json")


@pages.get("/docs/assets/<version>/<name>")
def versioned_asset(version: str, name: str) -> Response:
    """Send a file that pages load; browsers keep it for good, because other content has another address"""
    if name not in ASSETS or version != asset(name).version:
        abort(404)
    return immutable_response(asset(name))


@pages.get("/docs/v1/<string:name>")
def relation(name: str) -> Response:
    """Explain a link relation, with the properties of the resource that it leads to"""
    if name not in RELATIONS:
        abort(404)
    heading, description = RELATIONS[name]
    properties = _properties(_openapi_document().content["components"]["schemas"], name)
    prefix = settings().namespace if name in OWN_RELATIONS else "osdi"
    page = render_template(
        "relation.html", relation=f"{prefix}:{name}", heading=heading, description=description, properties=properties
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = RELATION_POLICY
    return response


@cache
def asset(name: str) -> Asset:
    """Returns one of ASSETS, compressed at the first request: all of them take 1.1 MB instead of 4.

    Raises RuntimeError if a file of Swagger UI or ReDoc is not that of its makers.
    """
    content = read_viewer(name) if name in VIEWERS else (OURS / name).read_bytes()
    if name == "redoc.js":
        for logo in REDOC_LOGOS:
            content = content.replace(logo, REDOC_NAME)
    modules = b"".join((OURS / module).read_bytes() for module in MODULES) if name in MODULES else None
    return compressed_asset(name, content, modules)


def asset_url(name: str) -> str:
    """Returns the address of an asset, which changes with its content."""
    return url_for("documentation.versioned_asset", version=asset(name).version, name=name)


def _properties(schemas: dict[str, Any], relation: str) -> list[Property]:
    """Returns the properties of the schema that a relation leads to; none of a relation that leads to CSV."""
    schema = schemas.get(_schema_name(relation) or "", {"properties": {}})
    return [
        Property(name, _type_of(described), described.get("description", "").replace("`", ""))
        for name, described in schema["properties"].items()
    ]


def _schema_name(relation: str) -> str | None:
    """Returns the name of the schema that a relation leads to, in the OpenAPI document."""
    if relation in OWN_RELATIONS:
        return OWN_RELATIONS[relation].schema
    named = OTHER_RELATIONS[relation][0].name if relation in OTHER_RELATIONS else relation
    return "".join(part.capitalize() for part in named.split("_"))


def _type_of(described: dict[str, Any]) -> str:
    if "$ref" in described:
        return str(described["$ref"]).rsplit("/", 1)[1]
    if "items" in described:
        return f"{_type_of(described['items'])}[]"
    if "enum" in described:
        return "one of " + ", ".join(word for word in described["enum"] if word is not None)
    named = described.get("format", described.get("type", "any"))
    name = named if isinstance(named, str) else " or ".join(named)
    return f"{name}, such as {', '.join(described['examples'])}" if "examples" in described else name
