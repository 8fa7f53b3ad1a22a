"""Which addresses a webhook may have: public ones by https, and what the operator's setting allows besides."""

from ipaddress import ip_address, ip_network

import pytest

from osdi.http_client.allowed_addresses import PrivateAddress, allowed, check_url

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

PUBLIC = [
    "93.184.215.14",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
    "2a00:1450:4001:82b::200e",
    "::ffff:93.184.215.14",
    "64:ff9b::93.184.215.14",
]

NOT_PUBLIC = {
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd00:ec2::254"],
    "link-local, clouds' metadata among them": ["169.254.169.254", "fe80::1", "fe80::1%1"],
    "shared by carriers": ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "broadcast and reserved": ["255.255.255.255", "240.0.0.1"],
    "of protocols": ["192.0.0.1", "192.0.0.192", "192.88.99.1", "2001:20::1"],
    "for documents and benchmarks": [
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "2001:db8::1",
        "3fff::1",
    ],
    "a cloud's own": ["168.63.129.16"],
    "site-local": ["fec0::1"],
    "IPv4 written as IPv6": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0"],
    "IPv4 within IPv6": ["::127.0.0.1", "::ffff:0:127.0.0.1"],
    "6to4": ["2002:7f00:1::", "2002:a00:1::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:80ff:fffe", "2001::1"],
    "NAT64": ["64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1"],
    "given to nobody": ["100::1", "4000::1", "5f00::1", "e000::1"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert allowed(ip_address(address), ())


@pytest.mark.parametrize("address", [each for addresses in NOT_PUBLIC.values() for each in addresses])
def test_other_addresses_are_not(address: str) -> None:
    assert not allowed(ip_address(address), ())


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("::ffff:127.0.0.1", "127.0.0.0/8"),
        ("::1", "::1/128"),
        ("fd12::1", "fd12::/16"),
        ("64:ff9b::10.0.0.1", "64:ff9b::/96"),
    ],
)
def test_a_network_of_the_setting_allows_its_addresses(address: str, network: str) -> None:
    assert allowed(ip_address(address), (ip_network("192.0.2.0/24"), ip_network(network)))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "127.0.0.0/8"),
        ("127.0.0.1", "::1/128"),
        ("::1", "127.0.0.0/8"),
        ("::127.0.0.1", "127.0.0.0/8"),
        # The translator's own, not ours.
        ("64:ff9b::127.0.0.1", "127.0.0.0/8"),
    ],
)
def test_a_network_of_the_setting_allows_no_others(address: str, network: str) -> None:
    assert not allowed(ip_address(address), (ip_network(network),))


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/osdi",
        "HTTPS://Hooks.Example.org:8443/osdi?key=a%20b&x",
        "https://hooks.example.org",
        "https://hooks.example.org.",
        "https://bücher.example/straße",
        "https://xn--bcher-kva.example/",
        "https://a_b.example.org/",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/",
        "https://localhost.example.org/",
        "https://intranet/",  # may be anything: what it resolves to counts
        "https://hooks.example.org/" + "a" * 1_974,
    ],
)
def test_addresses_that_a_subscription_may_have(url: str) -> None:
    check_url(url, ())


UNREADABLE = [
    "",
    "hooks.example.org/osdi",
    "//hooks.example.org/osdi",
    "ftp://hooks.example.org/",
    "file:///etc/passwd",
    "gopher://hooks.example.org/",
    "javascript:alert(1)",
    "https:hooks.example.org",
    "https://",
    "https:///osdi",
    "https://:443/",
    "https://hooks.example.org:0/",
    "https://hooks.example.org:65536/",
    "https://hooks.example.org:-1/",
    "https://hooks.example.org:https/",
    "https://hooks..example.org/",
    "https://.example.org/",
    f"https://{'a' * 64}.example.org/",
    f"https://{'a.' * 127}org/",
    "https://ho*oks.example.org/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://[::1/",
    "https://[hooks.example.org]/",
    "https://[2606:2800::1%251]/",
]


@pytest.mark.parametrize("url", UNREADABLE)
def test_an_invalid_address_is_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="Not an address"):
        check_url(url, ())


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org/a b",
        " https://hooks.example.org/",
        "https://hooks.example.org/\r\nX-Other: 1",
        "https://hooks.example.org/\t",
        "https://hooks.exa\u200bmple.org/",
        "https://hooks.example.org/\x00",
        "https://hooks.example.org/\ud800",
        "https://hooks.example.org\\@10.0.0.1/",
    ],
)
def test_characters_that_parsers_read_differently_are_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="a space, a backslash"):
        check_url(url, ())


@pytest.mark.parametrize("userinfo", ["user:password", "user", "user@hooks.example.org", "10.0.0.1%2f", ":password"])
def test_a_user_or_password_is_rejected(userinfo: str) -> None:
    with pytest.raises(ValueError, match="a user or a password"):
        check_url(f"https://{userinfo}@hooks.example.org/", ())


@pytest.mark.parametrize("fragment", ["#", "#part"])
def test_a_fragment_is_rejected(fragment: str) -> None:
    with pytest.raises(ValueError, match="fragment"):
        check_url(f"https://hooks.example.org/{fragment}", ())


def test_an_address_that_is_too_long_is_rejected() -> None:
    with pytest.raises(ValueError, match="longer than 2,000"):
        check_url("https://hooks.example.org/" + "a" * 1_975, ())


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:a00:1]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_private_address_is_rejected_in_each_spelling(scheme: str, host: str) -> None:
    with pytest.raises(PrivateAddress, match="private"):
        check_url(f"{scheme}://{host}:8443/osdi", ())


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "hooks.localhost", "a.b.localhost."])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_localhost_is_rejected(scheme: str, host: str) -> None:
    with pytest.raises(PrivateAddress, match="on the machine of this server"):
        check_url(f"{scheme}://{host}/", (ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    "host", ["localhost", "hooks.localhost.", "127.0.0.1:8080", "[::1]:8080", "[::ffff:127.0.0.1]"]
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_loopback_is_accepted_if_the_setting_allows_it(scheme: str, host: str) -> None:
    check_url(f"{scheme}://{host}/osdi", LOOPBACK)


@pytest.mark.parametrize("host", ["hooks.example.org", "93.184.215.14", "10.0.0.1", "notlocalhost"])
def test_without_tls_only_loopback_is_accepted(host: str) -> None:
    with pytest.raises(ValueError, match="begin with https"):
        check_url(f"http://{host}/osdi", (*LOOPBACK, ip_network("10.0.0.0/8")))


def test_a_private_address_is_accepted_if_the_setting_allows_it() -> None:
    check_url("https://10.1.2.3/osdi", (ip_network("10.1.0.0/16"),))


@pytest.mark.parametrize(
    "url",
    [
        "secret",
        "https://secret:0/",
        "https://10.0.0.1/secret",
        "http://hooks.example.org/secret",
        "https://user:secret@hooks.example.org/",
        "https://hooks.example.org/#secret",
        "https://hooks.example.org/ secret",
        "https://hooks.example.org/" + "secret" * 400,
        "https://localhost/secret",
    ],
)
def test_error_messages_do_not_contain_the_address(url: str) -> None:
    with pytest.raises(ValueError) as rejected:
        check_url(url, ())

    assert "secret" not in str(rejected.value)
