"""The rule for addresses that requests may be sent to: public ones, and those of allowed networks (SSRF)."""

import ipaddress
import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from urllib3.util import Url, parse_url

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
PORTS: Final = {"https": 443, "http": 80}
MAX_URL_LENGTH: Final = 2_000
HOST: Final = re.compile(r"\[[0-9a-f:.]+\]|(?=.{1,253}$)([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
LOOPBACK: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # all others are local, multicast or unassigned
NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is reached
# Python calls these global, depending on its version, although they have no receivers: addresses of protocols, 6to4 and
# its relays (which lead to an IPv4 address), documentation, and a service that a cloud has for its own machines.
NO_RECEIVERS: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16", "3fff::/20")
)


def allowed(address: Address, networks: Sequence[Network]) -> bool:
    """True if a guarded POST may be sent to this address: it is public, or in one of the networks."""
    address = wire_address(address)
    if any(address in network for network in networks):
        return True
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return allowed(IPv4Address(int(address) & 0xFFFFFFFF), ())
        if address not in GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in NO_RECEIVERS)


class PrivateAddress(ValueError):
    """The URL has a private address, which the networks of a setting may allow. The message is a sentence."""


def check_url(url: str, networks: Sequence[Network]) -> None:
    """Raises ValueError, a sentence, for a URL that every guarded POST would reject, whatever its host resolves to.

    The error for an address that another choice of `networks` would allow is a PrivateAddress.
    """
    parts, host = parse_http_url(url)
    if parts.auth is not None:
        raise ValueError("The address holds a user or a password, for all to see who may see the address.")
    if parts.fragment is not None:
        raise ValueError("The address has a fragment (#), which is never sent.")
    literal = _literal_address(host)
    local = f".{host.rstrip('.')}".endswith(".localhost")
    if literal is not None and not allowed(literal, networks):
        raise PrivateAddress("The address is a private one.")
    if local and not any(allowed(loopback, networks) for loopback in LOOPBACK):
        raise PrivateAddress("The address is on the machine of this server.")
    if parts.scheme != "https" and not local and not (literal is not None and wire_address(literal).is_loopback):
        raise ValueError("The address does not begin with https://.")


def parse_http_url(url: str) -> tuple[Url, str]:
    """Returns the parts of an http(s) URL, and its host in lower case and ASCII. Raises ValueError: a sentence."""
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"The address is longer than {MAX_URL_LENGTH:,} characters.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("The address holds a space, a backslash or a character that does not show.")
    wrong = ValueError("Not an address such as https://hooks.example.org/osdi.")
    try:
        parts = parse_url(url)  # which encodes an international host by idna
    except ValueError:
        raise wrong from None
    if parts.scheme not in PORTS or parts.host is None or not HOST.fullmatch(parts.host) or parts.port == 0:
        raise wrong
    return parts, parts.host


def wire_address(address: Address) -> Address:
    """Returns the address that packets go to: an IPv4 address that is written as IPv6 (RFC 4291) is that address."""
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _literal_address(host: str) -> Address | None:
    """Returns the address that a host is written as, in any spelling of the resolver, such as 2130706433 or 0x7f.1."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return None
    return ipaddress.ip_address(found[0][4][0])
