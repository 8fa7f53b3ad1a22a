"""An application that is created at the first request for one of its addresses.

Flask calls it application dispatching: https://flask.palletsprojects.com/en/stable/patterns/appdispatch/
"""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXTENSION: Final = "osdi_on_demand"


class OnDemand:
    """Passes each request below `root` to the application of `create`, and all others to `others`."""

    def __init__(self, root: str, create: Callable[[], Flask], others: "WSGIApplication") -> None:
        self._root = root
        self._create = create
        self._others = others
        self._created: Flask | None = None
        self._lock = threading.Lock()

    @property
    def application(self) -> Flask:
        """The application, which the first call creates."""
        with self._lock:
            if self._created is None:
                self._created = self._create()
            return self._created

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == self._root or path.startswith(f"{self._root}/"):
            return self.application(environ, start_response)
        return self._others(environ, start_response)
