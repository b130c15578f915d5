"""Whose address a request has: a trusted proxy's word, else the peer's."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry import proxies
from wherry.observe import RequestServed
from wherry.proxies import TrustedProxies

from .conftest import Client, films

PROXIES = TrustedProxies(map(ip_network, ("10.0.0.0/8", "192.0.2.7", "fd00::/8")))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "real_ip", "client"),
    [
        ("10.0.0.2", "203.0.113.9", None, "203.0.113.9"),
        ("10.0.0.2", None, "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.2", None, None, "10.0.0.2"),
        # what the client itself has sent stands before its address, and is not believed
        ("10.0.0.2", "127.0.0.1, 203.0.113.9", None, "203.0.113.9"),
        ("10.0.0.2", "10.0.0.9, 203.0.113.9, 10.1.1.1, 192.0.2.7", None, "203.0.113.9"),
        ("10.0.0.2", "10.0.0.9, 10.1.1.1", None, "10.0.0.9"),
        # from a peer that is no proxy nothing is believed
        ("203.0.113.1", "127.0.0.1", "127.0.0.1", "203.0.113.1"),
        ("192.0.2.8", "127.0.0.1", None, "192.0.2.8"),
        # IPv6, and IPv4 as a socket for both has it
        ("fd00::1", "2001:db8::A", None, "2001:db8::a"),
        ("::ffff:10.0.0.2", "::ffff:203.0.113.9", None, "203.0.113.9"),
        ("fe80::1%eth0", "203.0.113.9", None, "fe80::1%eth0"),
        # ports
        ("10.0.0.2", "203.0.113.9:4711", None, "203.0.113.9"),
        ("10.0.0.2", "[2001:db8::a]:4711", None, "2001:db8::a"),
        # what is no address ends the reading
        ("10.0.0.2", "unknown", None, "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9, nonsense, 10.0.0.3", None, "10.0.0.3"),
        ("10.0.0.2", "", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9,", None, "10.0.0.2"),
        ("10.0.0.2", '203.0.113.9"\\', None, "10.0.0.2"),
        ("10.0.0.2", None, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("/run/socket", "203.0.113.9", None, "/run/socket"),
    ],
)
def test_the_client_behind_the_peer(peer: str, forwarded_for: str | None, real_ip: str | None, client: str) -> None:
    said = {b"x-forwarded-for": forwarded_for, b"x-real-ip": real_ip}
    headers = {name: value.encode() for name, value in said.items() if value is not None}
    for _ in range(2):  # the second time it is remembered
        assert PROXIES.client_of(peer, headers) == client


@given(st.ip_addresses().map(str), st.binary(max_size=50), st.binary(max_size=50))
def test_nobody_but_a_proxy_can_say_who_called(peer: str, forwarded_for: bytes, real_ip: bytes) -> None:
    nobody = TrustedProxies([ip_network("192.0.2.255")])
    if peer != "192.0.2.255":
        assert nobody.client_of(peer, {b"x-forwarded-for": forwarded_for, b"x-real-ip": real_ip}) == peer


@given(st.binary(max_size=80))
def test_whatever_a_proxy_says_an_address_is_logged(said: bytes) -> None:
    client = PROXIES.client_of("10.0.0.2", {b"x-forwarded-for": said})
    assert proxies._address(client.encode()) == client


def test_what_is_remembered_is_bounded() -> None:
    trusted = TrustedProxies([ip_network("10.0.0.0/8")])
    for number in range(proxies._REMEMBERED + 10):
        trusted.client_of("10.0.0.2", {b"x-forwarded-for": f"{number}".encode()})
    assert len(trusted._named) == 10
    long = b"10.0.0.1," * 1000
    assert trusted.client_of("10.0.0.2", {b"x-forwarded-for": long + b"203.0.113.9"}) == "203.0.113.9"
    assert trusted.client_of("10.0.0.2", {b"x-forwarded-for": b"203.0.113.9," + long[:-1]}) == "203.0.113.9"
    assert len(trusted._named) == 10


@pytest.mark.anyio
async def test_the_middleware_observes_the_client_only_where_proxies_are_trusted() -> None:
    for trusted, address in ((None, "10.0.0.9"), (PROXIES, "203.0.113.9")):
        client = Client(films, proxies=trusted)
        await client.ask("GET", x_forwarded_for="203.0.113.9")
        [served] = client.observed
        assert isinstance(served, RequestServed)
        assert served.remote_address == address
