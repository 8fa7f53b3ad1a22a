"""Connections and connection pools of urllib3 whose exchange ends at a deadline, and whose addresses can be checked.

urllib3 looks a host up and connects in one method, `_new_conn`. Ours looks it up once, hands all addresses to a check,
and connects to one of these addresses: a name that resolves to something else a moment later (DNS rebinding) gains
nothing. The Host header, SNI and the certificate are those of the host's name (docs/decisions/0026).
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from osdi.http_client.allowed_addresses import Address
from osdi.http_client.timeout import BoundedTlsSocket, Deadline, connect, look_up

# Raises for addresses that nothing may be sent to.
Check = Callable[[Sequence[Address]], None]


class HttpConnection(HTTPConnection):
    """Connection whose lookup, connection and exchange end at a deadline.

    `check` gets all addresses of the host before the connection is made; what it raises is raised.
    """

    def __init__(
        self, host: str, port: int | None = None, *, deadline: Deadline, check: Check | None = None, **options: Any
    ) -> None:
        super().__init__(host, port, **options)
        self._deadline = deadline
        self._check = check

    def _new_conn(self) -> socket.socket:
        try:
            found = look_up(self._dns_host, self.port, self._deadline)
            if self._check is not None:
                self._check([ipaddress.ip_address(address[0]) for _, address in found])
            return connect(found, self._deadline, **({"seconds": self.timeout} if self.timeout else {}))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except UnicodeError as error:  # a part of the name is too long
            raise NameResolutionError(self.host, self, socket.gaierror(socket.EAI_NONAME)) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "The connection took too long.") from error
        except OSError as error:
            raise NewConnectionError(self, "No connection could be made.") from error


class HttpsConnection(HttpConnection, HTTPSConnection):
    """The same by TLS. The context is one of `bounded_tls`."""

    def connect(self) -> None:
        super().connect()
        assert isinstance(self.sock, BoundedTlsSocket)
        self.sock.bound(self._deadline)


class HttpPool(urllib3.HTTPConnectionPool):
    """Pool of connections to one host, which share the keyword arguments `deadline` and `check`."""

    ConnectionCls = HttpConnection


class HttpsPool(urllib3.HTTPSConnectionPool):
    """The same by TLS, with the keyword argument `ssl_context` too."""

    ConnectionCls = HttpsConnection
