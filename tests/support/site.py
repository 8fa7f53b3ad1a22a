"""An organisation's own web site on loopback: serves the pages that a test writes, under a name of its own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.browser import SITE_NAME


class Site:
    """An HTTP server of pages: `with Site() as site: address = site.put("/", html)`."""

    def __init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                html, headers = site.pages.get(self.path.partition("?")[0], ("", {}))
                content = html.encode()
                self.send_response(200 if content else 204)
                for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://{SITE_NAME}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def put(self, path: str, body: str, **headers: str) -> str:
        """Serves a page with this body at a path, and returns its address. Headers are named like `content_type`."""
        html = f'<!DOCTYPE html><html lang="en"><title>Save the river</title><body>{body}</body></html>'
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        self.pages[path] = (html, named)
        return self.url + path

    def __enter__(self) -> "Site":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
