"""Whose address a request has that came through proxies: what they say is believed only of those that are trusted.

Each proxy appends to `X-Forwarded-For` the address that called it, so the list is read from its end, from the peer of
the connection outwards, as far as it consists of trusted proxies: the first address that is none is the client's, for
what stands before it anybody may have written. `X-Real-IP` counts where there is no list. What is no address ends the
reading. Without trusted proxies both are ignored, and so they are from a peer that is none.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

_REMEMBERED = 4096  #: peers with what they say
_SHORT = 256  #: bytes of what a peer says that are worth to be remembered: clients write as much as they like


class TrustedProxies:
    """The proxies that are believed; a class because it remembers whom they named."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)
        self._named: dict[tuple[str, bytes], str] = {}

    def client_of(self, peer: str, headers: Mapping[bytes, bytes]) -> str:
        """Return the address of the client behind the peer; the peer's own where that is no trusted proxy."""
        said = headers.get(b"x-forwarded-for") or headers.get(b"x-real-ip")
        if said is None:
            return peer
        named = self._named.get((peer, said))
        if named is None:
            named = self._read(peer, said)
            if len(said) <= _SHORT:
                if len(self._named) >= _REMEMBERED:
                    self._named.clear()
                self._named[peer, said] = named
        return named

    def _read(self, peer: str, said: bytes) -> str:
        client = peer
        while said and self._trusts(client):
            said, _, hop = said.rpartition(b",")
            named = _address(hop)
            if named is None:
                break
            client = named
        return client

    def _trusts(self, address: str) -> bool:
        known = _address(address.encode("ascii", "replace"))
        return known is not None and any(ip_address(known) in network for network in self._networks)


def _address(written: bytes) -> str | None:
    """Return an address as it is usually written, None for what is none; a port behind it is left out.

    An IPv4 address in the clothes of IPv6, as a socket for both has it, is an IPv4 address.
    """
    text = written.decode("latin-1").strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
