"""Where the hub never connects to: addresses inside, in whatever way they are spelt."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Global unicast (RFC 4291, section 2.4): all that has been given out for hosts in IPv6.
_UNICAST = ipaddress.IPv6Network("2000::/3")
#: IPv4 by way of IPv6: an address of these is as public as the one in its last four bytes.
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Global by the registries of RFC 6890, and yet no place for a partner.
_NEVER = (
    # 6to4 and its relays (RFC 7526 ended both): an IPv4 address of any sort may be inside.
    ipaddress.IPv6Network("2002::/16"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    # What a machine in Azure is told about itself, its secrets included.
    ipaddress.IPv4Network("168.63.129.16/32"),
    # Python before 3.11.10 takes these for global.
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv6Network("3fff::/20"),
)
_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """A network inside that partners may be in all the same: at one port, or at any."""

    network: Network
    port: int | None = None

    @classmethod
    def of(cls, text: str) -> Place:
        """Return the place of `10.1.0.0/16`, `10.1.2.3:8443`, `fd00::/8` or `[fd00::1]:8443`.

        Raises:
            ValueError: it is none.
        """
        if (spelt := _WITH_PORT.fullmatch(text)) is None:
            return cls(ipaddress.ip_network(text))
        if not 0 < (port := int(spelt["port"])) < 65_536:  # noqa: PLR2004 - ports have 16 bits
            raise ValueError(f"{text!r} names no port")
        return cls(ipaddress.ip_network(spelt["six"] or spelt["four"]), port)

    def holds(self, address: Address, port: int) -> bool:
        """Return whether a connection to this address and port stays in here."""
        return self.port in (None, port) and address in self.network


LOOPBACK = (Place.of("127.0.0.0/8"), Place.of("::1"))


def places(text: str) -> tuple[Place, ...]:
    """Return the places of a list with commas between them.

    Raises:
        ValueError: one is none; the sentence quotes it.
    """
    return tuple(Place.of(one.strip()) for one in text.split(",") if one.strip())


def permits(address: str, port: int, allowed: Sequence[Place]) -> bool:
    """Return whether the hub may connect here.

    Args:
        address: What a socket is about to connect to, so that no spelling and no name is left.
        port: The port.
        allowed: Where it may although it is inside.
    """
    found = _unwrapped(ipaddress.ip_address(address))
    return _is_public(found) or any(place.holds(found, port) for place in allowed)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or else the address without its zone."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    plain = ipaddress.IPv6Address(int(address))
    if plain in _MAPPED or plain in _NAT64:
        return ipaddress.IPv4Address(int(plain) & 0xFFFF_FFFF)
    return plain


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    if any(address in one for one in _NEVER):
        return False
    return isinstance(address, ipaddress.IPv4Address) or address in _UNICAST
