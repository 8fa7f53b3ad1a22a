"""POSTs to real servers on loopback: what arrives there, and what never gets to where it may not go."""

import base64
import ipaddress
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme

from osdi.http_client.allowed_addresses import PORTS, Network
from osdi.http_client.post import HttpPost, NotDelivered
from osdi.version import VERSION
from tests.support.receivers import LONG, LOOPBACK, Receiver, got_no_connection, port_of, resolving, script, silent

pytestmark = pytest.mark.waits

BODY = '[{"osdi:outreach": {"name": "Zoë"}}]'.encode()
HEADERS = {"Content-Type": "application/json", "webhook-id": "0190e5a4-7c1f-7000-8000-000000000001"}

# The time-out of tests that expect a time-out, in seconds.
SHORT = 0.5


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_certs(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("certificates") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def post(url: str, networks: Sequence[Network] = LOOPBACK, *, guarded: bool = True, **how: Any) -> int:
    return HttpPost(networks, **how).post(url, BODY, HEADERS, guarded=guarded).status


def reason(url: str, networks: Sequence[Network] = LOOPBACK, *, guarded: bool = True, **how: Any) -> str:
    """Why it was not delivered."""
    with pytest.raises(NotDelivered) as caught:
        post(url, networks, guarded=guarded, **how)
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


# Requests that arrive.


def test_body_and_headers_arrive_as_they_were_given() -> None:
    with Receiver() as receiver:
        assert post(receiver.url() + "?key=a%20b") == 200

    [(line, headers, body)] = receiver.requests
    assert line == "POST /osdi?key=a%20b HTTP/1.1"
    assert body == BODY
    assert sorted(headers) == sorted(
        [
            *HEADERS.items(),
            ("Host", f"127.0.0.1:{receiver.port}"),
            ("User-Agent", f"OSDI-Outreach-Server/{VERSION}"),
            ("Content-Length", str(len(BODY))),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
    )


def test_the_default_port_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setitem(PORTS, "http", receiver.port)  # 80 is not for tests to listen at
        resolving(monkeypatch, "hooks.example.org", "127.0.0.1")
        assert post("http://hooks.example.org/osdi") == 200

    assert dict(receiver.requests[0][1])["Host"] == "hooks.example.org"


@pytest.mark.parametrize("status", [200, 204, 302, 404, 410, 429, 500, 503])
def test_returns_the_status_of_the_server(status: int) -> None:
    with Receiver(status=status) as receiver:
        assert post(receiver.url()) == status


def test_a_large_body_arrives_whole() -> None:
    body = bytes(range(256)) * 20_000

    with Receiver() as receiver:
        assert HttpPost(LOOPBACK).post(receiver.url(), body, HEADERS).status == 200

    assert receiver.requests[0][2] == body


def test_nothing_follows_a_large_body() -> None:
    body, received = bytes(range(256)) * 1_000, bytearray()

    def serve(connection: socket.socket, over: threading.Event) -> None:
        while len(received) < received.find(b"\r\n\r\n") + 4 + len(body) or b"\r\n\r\n" not in received:
            received.extend(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        while more := connection.recv(65_536):
            received.extend(more)

    with script(serve) as port:
        assert HttpPost(LOOPBACK).post(f"http://127.0.0.1:{port}/", body, HEADERS).status == 204

    assert received.partition(b"\r\n\r\n")[2] == body


def test_non_ascii_characters_arrive_encoded() -> None:
    with Receiver() as receiver:
        assert post(f"http://127.0.0.1:{receiver.port}/straße?ü") == 200

    assert receiver.requests[0][0] == "POST /stra%C3%9Fe?%C3%BC HTTP/1.1"


def test_a_status_before_the_body_was_read_counts() -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(1_000)
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n")

    with script(serve) as port:
        response = HttpPost(LOOPBACK).post(f"http://127.0.0.1:{port}/", b" " * 20_000_000, HEADERS)

    assert response.status == 413


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver, silent() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port_of(proxy)}")
            monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{port_of(proxy)}")

        assert post(receiver.url()) == 200
        assert got_no_connection(proxy)


def test_a_redirect_is_a_status_and_never_followed() -> None:
    with silent() as internal:
        location = {"Location": f"http://127.0.0.1:{port_of(internal)}/"}
        with Receiver(status=307, headers=location) as receiver:
            assert post(receiver.url()) == 307
        assert got_no_connection(internal)


# By TLS.


@pytest.mark.parametrize("guarded", [True, False])
def test_certificate_host_header_and_sni_use_the_name(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, ca_certs: str, guarded: bool
) -> None:
    resolving(monkeypatch, "hooks.example.org", "127.0.0.1")

    with Receiver(certificate=authority.issue_cert("hooks.example.org")) as receiver:
        assert post(receiver.url("Hooks.Example.org"), guarded=guarded, ca_certs=ca_certs) == 200

    [(_, headers, body)] = receiver.requests
    assert receiver.names == ["hooks.example.org"]
    assert dict(headers)["Host"] == f"hooks.example.org:{receiver.port}"
    assert body == BODY


def test_an_international_name_is_encoded_by_idna(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, ca_certs: str
) -> None:
    resolved = resolving(monkeypatch, "xn--bcher-kva.example", "127.0.0.1")

    with Receiver(certificate=authority.issue_cert("xn--bcher-kva.example")) as receiver:
        assert post(receiver.url("Bücher.example"), ca_certs=ca_certs) == 200

    assert resolved == ["xn--bcher-kva.example"]
    assert receiver.names == ["xn--bcher-kva.example"]
    assert dict(receiver.requests[0][1])["Host"] == f"xn--bcher-kva.example:{receiver.port}"


def test_a_name_with_a_trailing_dot_is_the_same_server(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, ca_certs: str
) -> None:
    resolved = resolving(monkeypatch, "hooks.example.org.", "127.0.0.1")

    with Receiver(certificate=authority.issue_cert("hooks.example.org")) as receiver:
        assert post(receiver.url("hooks.example.org."), ca_certs=ca_certs) == 200

    assert resolved == ["hooks.example.org."]
    assert dict(receiver.requests[0][1])["Host"] == f"hooks.example.org:{receiver.port}"


def test_the_certificate_of_a_bare_address_is_checked_too(authority: trustme.CA, ca_certs: str) -> None:
    with Receiver(certificate=authority.issue_cert("127.0.0.1")) as receiver:
        assert post(receiver.url(), ca_certs=ca_certs) == 200
    with Receiver(certificate=authority.issue_cert("localhost")) as receiver:
        assert reason(receiver.url(), ca_certs=ca_certs) == "tls"


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("certified", ["other.example.org", "127.0.0.1"])
def test_nothing_is_sent_to_a_server_with_another_names_certificate(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, ca_certs: str, certified: str, guarded: bool
) -> None:
    resolving(monkeypatch, "hooks.example.org", "127.0.0.1")

    with Receiver(certificate=authority.issue_cert(certified)) as receiver:
        assert reason(receiver.url("hooks.example.org"), guarded=guarded, ca_certs=ca_certs) == "tls"

    assert receiver.requests == []


def test_nothing_is_sent_to_a_server_with_an_untrusted_certificate(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    resolving(monkeypatch, "hooks.example.org", "127.0.0.1")

    with Receiver(certificate=authority.issue_cert("hooks.example.org")) as receiver:
        assert reason(receiver.url("hooks.example.org")) == "tls"

    assert receiver.requests == []


def test_a_server_without_tls_is_rejected() -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(1_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with script(serve) as port:
        assert reason(f"https://127.0.0.1:{port}/") == "tls"


# Where nothing may go.


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "localhost",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_private_addresses_are_not_connected_to(scheme: str, host: str) -> None:
    with silent() as internal:
        assert reason(f"{scheme}://{host}:{port_of(internal)}/", networks=()) == "private_address"
        assert got_no_connection(internal)


def test_an_allowed_network_allows_no_other_address() -> None:
    with silent() as internal:
        networks = (ipaddress.ip_network("10.0.0.0/8"),)
        assert reason(f"https://127.0.0.1:{port_of(internal)}/", networks) == "private_address"
        assert got_no_connection(internal)


def test_a_name_that_leads_to_a_private_address_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "hooks.example.org", "127.0.0.1")

    with silent() as internal:
        assert reason(f"https://hooks.example.org:{port_of(internal)}/", networks=()) == "private_address"
        assert got_no_connection(internal)


@pytest.mark.parametrize("other", ["10.0.0.1", "169.254.169.254", "fd00::1"])
def test_one_private_address_among_others_rejects_the_name(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    resolving(monkeypatch, "hooks.example.org", "127.0.0.1", other)

    with silent() as receiver:
        assert reason(f"https://hooks.example.org:{port_of(receiver)}/") == "private_address"
        assert got_no_connection(receiver)


def test_a_public_address_does_not_help_a_private_one(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "hooks.example.org", "127.0.0.1", "93.184.215.14")

    with silent() as internal:
        assert reason(f"https://hooks.example.org:{port_of(internal)}/", networks=()) == "private_address"
        assert got_no_connection(internal)


def test_the_address_that_was_checked_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, ca_certs: str
) -> None:
    """DNS rebinding: a second look-up of the name returns another address."""
    real, resolved = socket.getaddrinfo, []

    def rebinding(host: str, *args: object, **how: object) -> list:
        resolved.append(host)
        return real("127.0.0.1" if len(resolved) == 1 else "10.0.0.1", *args, **how)  # type: ignore[arg-type]

    with Receiver(certificate=authority.issue_cert("hooks.example.org")) as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        networks = (ipaddress.ip_network("127.0.0.1/32"),)
        assert post(receiver.url("hooks.example.org"), networks, ca_certs=ca_certs) == 200

    assert resolved == ["hooks.example.org"]
    assert len(receiver.requests) == 1


def test_without_tls_only_loopback_of_the_allowed_networks_is_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "hooks.example.org", "192.0.2.1", "127.0.0.1")

    with silent() as receiver:
        networks = (*LOOPBACK, ipaddress.ip_network("192.0.2.0/24"))
        assert reason(f"http://hooks.example.org:{port_of(receiver)}/", networks, seconds=SHORT) == "not_https"
        assert got_no_connection(receiver)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://127.0.0.1:{port}/",
        "http://user:password@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/\r\nX-Other: 1",
        "http://127.0.0.1:{port}/a b",
        "http://:{port}/",
        "http://127.0.0.1:{port}0000/",
    ],
)
def test_an_invalid_webhook_url_is_not_connected_to(url: str) -> None:
    with silent() as receiver:
        assert reason(url.format(port=port_of(receiver))) == "url"
        assert got_no_connection(receiver)


# The operator's own gateways.


def test_a_gateway_can_have_any_address_and_no_tls() -> None:
    with Receiver() as gateway:
        assert post(gateway.url("localhost"), networks=(), guarded=False) == 200

    assert gateway.requests[0][2] == BODY


def test_a_gateways_redirect_is_not_followed() -> None:
    with silent() as internal:
        location = {"Location": f"http://127.0.0.1:{port_of(internal)}/"}
        with Receiver(status=302, headers=location) as gateway:
            assert post(gateway.url(), networks=(), guarded=False) == 302
        assert got_no_connection(internal)


def test_a_gateways_user_and_password_use_basic_authentication() -> None:
    with Receiver() as gateway:
        assert post(gateway.url("osdi:a%40b@127.0.0.1"), networks=(), guarded=False) == 200

    [(line, headers, _)] = gateway.requests
    assert line == "POST /osdi HTTP/1.1"
    assert dict(headers)["authorization"] == "Basic " + base64.b64encode(b"osdi:a@b").decode()
    assert dict(headers)["Host"] == f"127.0.0.1:{gateway.port}"


def test_a_gateway_that_never_responds_times_out() -> None:
    with script(lambda _, over: over.wait(LONG)) as port:
        assert reason(f"http://127.0.0.1:{port}/", networks=(), guarded=False, seconds=SHORT) == "timeout"
