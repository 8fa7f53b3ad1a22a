"""A receiver of webhooks, or a gateway: it keeps the requests, and answers as configured by the test."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from standardwebhooks.webhooks import Webhook

LOOPBACK = "127.0.0.0/8"


@dataclass(frozen=True)
class Received:
    """One POST: its path, headers in lower case, and body; and the status that it got."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """The body, once its signature has been checked as a receiver checks it."""
        return Webhook(secret).verify(self.body, self.headers)


class WebhookReceiver:
    """A real HTTP server on a free loopback port: `with WebhookReceiver() as receiver: ... receiver.received`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status: int | Callable[[bytes], int] = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.status if isinstance(outer.status, int) else outer.status(body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.received.append(Received(self.path, headers, body, status))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                for name, value in outer.headers.items() if status >= 400 else ():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: object) -> None:
                """Tests look at what was received."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    @property
    def accepted(self) -> list[Received]:
        """Returns the requests that got a success status."""
        return [each for each in list(self.received) if each.status < 300]

    def entries(self, secret: str) -> list[dict[str, Any]]:
        """Returns the events of all accepted requests, after checking each signature."""
        return [entry for each in self.accepted for entry in each.verified(secret)]

    def __enter__(self) -> "WebhookReceiver":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
