"""The explorer, served wholly by us: the OpenAPI document, Swagger UI, ReDoc, and a page for each link relation.

The two viewers come from the package `offapi`, which ships their files; only its folder is used. Importing it would
read all of them into every worker's memory.
"""

import importlib.util
from pathlib import Path

import orjson
from apispec import APISpec
from flask import Blueprint, Response, abort, render_template, send_from_directory

from osdi.resources import HELPERS, RESOURCES

ASSETS = ("swagger_bundle.js", "swagger_preset.js", "swagger_style.css", "redoc.js")
ONE_DAY = 86_400

RELATIONS = {
    **{resource.name: (resource.name.replace("_", " ").capitalize(), resource.description) for resource in RESOURCES},
    **{
        resource.collection: (
            resource.collection.replace("_", " ").capitalize(),
            f"The collection of {resource.collection.replace('_', ' ')}. {resource.description}",
        )
        for resource in RESOURCES
    },
    **HELPERS,
}


def blueprint(spec: APISpec) -> Blueprint:
    """The pages about one generated document."""
    pages = Blueprint("documentation", __name__, template_folder="templates")
    document = orjson.dumps(spec.to_dict(), option=orjson.OPT_INDENT_2)
    folder = _assets_folder()

    @pages.get("/")
    @pages.get("/docs")
    def swagger_ui() -> str:
        return render_template("swagger_ui.html", title=spec.title)

    @pages.get("/redoc")
    def redoc() -> str:
        return render_template("redoc.html", title=spec.title)

    @pages.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(document, mimetype="application/json")

    @pages.get("/docs/assets/<name>")
    def asset(name: str) -> Response:
        if name not in ASSETS:
            abort(404)
        return send_from_directory(folder, name, max_age=ONE_DAY)

    @pages.get("/docs/v1/<relation>")
    def relation(relation: str) -> str:
        if relation not in RELATIONS:
            abort(404)
        title, description = RELATIONS[relation]
        return render_template("relation.html", relation=relation, title=title, description=description)

    return pages


def _assets_folder() -> Path:
    found = importlib.util.find_spec("offapi")
    if found is None or found.origin is None:
        raise RuntimeError("The package offapi, which carries the explorer's files, is not installed.")
    return Path(found.origin).parent
