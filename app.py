"""Creates the application from its parts: settings, store, blueprints, error format, CORS. It contains no logic.

`create_app()` reads the environment. Tests pass their own settings.
"""

if __name__ == "__main__":
    # Before the imports below, during which Ctrl-C would print a traceback.
    from osdi.commands.program.signals import end_at_once, handle_by

    handle_by(end_at_once)

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Flask, Response
from flask.json.provider import JSONProvider
from werkzeug.datastructures import Headers
from werkzeug.middleware.proxy_fix import ProxyFix

from blueprints import BLUEPRINTS
from blueprints.act import act
from blueprints.act.count import counts
from blueprints.browser import documentation, unsubscribe
from blueprints.browser.on_demand import EXTENSION as ON_DEMAND
from blueprints.browser.on_demand import OnDemand
from blueprints.browser.translation import translate_templates
from blueprints.http.api import HAL_JSON, Api, SchemaDocstrings
from blueprints.http.context import EXTENSION, Deployment
from blueprints.http.cors import share_with_origins
from blueprints.http.parameters import ResourceId, Route
from blueprints.http.rate_limits import EXTENSION as RATE_LIMITS
from blueprints.http.rate_limits import RateLimits, limit_rates
from blueprints.http.request_log import log_requests
from blueprints.operations import health, metrics
from osdi import log
from osdi.access.authentication import Authentication
from osdi.access.sender_digests import SenderDigests
from osdi.campaign_pages.embedding.site_counts import SiteCounts
from osdi.campaign_pages.form.form_token import FormTokens
from osdi.commands.program.command_line import command_line
from osdi.commands.register import CommandContext, register_commands
from osdi.crud.reference_cache import Reference
from osdi.resources import STAFF_PAGES
from osdi.settings import Settings
from osdi.statistics.reader import StatisticsReader
from osdi.store import Store
from osdi.version import VERSION
from schemas.import_bodies import load_body

# Cache-Control as on the standard's pages. The others prevent that a browser runs data as a page.
HEADERS = (
    ("Cache-Control", "max-age=0, private, must-revalidate"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
DESCRIPTION = """Records what supporters do: a self-hosted OSDI 1.2.0 server, mainly for the Record Outreach Helper.

Send a token in the header `OSDI-API-Token`. The helpers for outreaches and sign-ups also work without one.
Every response has an `OSDI-Request-ID`; name it when you report a problem."""


class JsonResponse(Response):
    """A response in JSON."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Returns the headers as they are: Werkzeug would copy each of them, and parse the URL in `Location` again.

        It does both for a response without a body, whose headers it changes, and for a URL that is not ASCII.
        """
        if self.status_code in (204, 304) or not self.headers.get("Location", "").isascii():
            return super().get_wsgi_headers(environ)
        return self.headers


class OrjsonProvider(JSONProvider):
    """JSON by orjson: writes dates as ISO 8601 in UTC with `Z`, and rejects NaN and broken Unicode."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return self._dump(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = self._dump(self._prepare_response_obj(args, kwargs))
        return JsonResponse(body, mimetype=HAL_JSON)

    @staticmethod
    def _dump(value: Any) -> bytes:
        return orjson.dumps(value, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)


def create_app(settings: Settings | None = None) -> Flask:
    """Returns the WSGI application. Raises environs.EnvValidationError with all invalid settings.

    An application of its own has the staff pages besides everything else. It is created at the first request for one
    of them, because a process that shows none starts faster and takes less memory without their modules.
    """
    settings = settings or Settings.from_environment()
    log.configure(settings.log_format, settings.log_level)
    deployment = _deployment(settings)
    shared = {
        EXTENSION: deployment,
        RATE_LIMITS: RateLimits(settings),
        metrics.EXTENSION: metrics.metrics_of(settings, deployment.store),
    }
    app = _application(settings, shared)
    register_commands(app, CommandContext(settings, deployment.store, deployment.reference, load_body))
    on_demand = OnDemand(STAFF_PAGES, lambda: _staff_application(settings, shared), app.wsgi_app)
    app.extensions[ON_DEMAND] = on_demand
    app.wsgi_app = on_demand  # type: ignore[method-assign]
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    return app


def _staff_application(settings: Settings, shared: Mapping[str, object]) -> Flask:
    """Returns the application with the staff pages."""
    from blueprints import staff  # a hundred modules, see create_app

    app = _application(settings, shared)
    staff.add_pages(app, settings)
    return app


def _application(settings: Settings, shared: Mapping[str, Any]) -> Flask:
    """Returns an application with the API and the public pages. `shared` has the extensions of both applications."""
    app = Flask(__name__)
    # Flask would check for every view and hook if it is a coroutine. None is.
    app.ensure_sync = lambda function: function  # type: ignore[assignment, method-assign]
    log_requests(app, settings)
    app.json = OrjsonProvider(app)
    app.url_rule_class = Route
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["default"] = ResourceId  # of `<person_id>` and the like
    # One byte more than the limit: a body that reaches it was longer (see blueprints/http/body.py).
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1
    app.config.update(
        API_TITLE=settings.product_name,
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION},
            "servers": [{"url": urlsplit(settings.public_url).path or "/"}],
        },
    )
    app.extensions |= shared
    metrics.count_requests(app)
    api = Api(app, spec_kwargs={"marshmallow_plugin": SchemaDocstrings()})
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    translate_templates(app)
    documentation.add_pages(app, settings.product_name, lambda: api.document(settings.public_url))
    app.register_blueprint(unsubscribe.pages)
    app.register_blueprint(act)
    app.register_blueprint(counts)
    app.register_blueprint(health.blueprint(shared[EXTENSION].store, settings))
    app.register_blueprint(metrics.pages)
    share_with_origins(app, settings)
    limit_rates(app)
    app.after_request(_with_headers)
    return app


def _deployment(settings: Settings) -> Deployment:
    """Returns the parts that all requests share."""
    store = Store(settings.mongodb_uri, cache_seconds=settings.cache_seconds)
    reference = Reference(store, cache_seconds=settings.cache_seconds)
    authentication = Authentication(store, cache_seconds=settings.cache_seconds)
    statistics, senders = StatisticsReader(store), SenderDigests(store)
    return Deployment(
        settings, store, reference, authentication, statistics, senders, FormTokens(store), SiteCounts(store)
    )


def _with_headers(response: Response) -> Response:
    """Adds the headers of every response, except those that a page or asset has set itself."""
    present = {name.lower() for name, _ in response.headers}
    response.headers.extend((name, value) for name, value in HEADERS if name.lower() not in present)
    return response


def main() -> None:
    """Runs a command of `bin/osdi`."""
    command_line(create_app)(prog_name="osdi")


if __name__ == "__main__":
    main()
