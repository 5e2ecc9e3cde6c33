"""Which addresses pictures may come from: public ones, and those that somebody vouches for.

A catalog may be written by strangers, and a service may be handed their URLs. Without this, one of
`http://169.254.169.254/` or of a printer's page would be asked from inside the shop's own network.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Self

from goods.errors import GoodsError

Address = IPv4Address | IPv6Address

_INSIDE_CLOUDS = (  # public by the register, or in older Pythons, and none of the internet
    IPv4Network("168.63.129.16/32"),  # a service of every machine at Azure
    IPv4Network("192.0.0.0/24"),  # RFC 6890; machines at Oracle are told their secrets there
)
_EMBEDDING = (
    IPv6Network("::/96"),  # IPv4-compatible (RFC 4291, 2.5.5.1)
    IPv6Network("64:ff9b::/96"),  # NAT64 (RFC 6052)
)


@dataclass(frozen=True, slots=True)
class PrivateHosts:
    """Hosts that may be asked although their addresses are not public.

    Attributes:
        names: As URLs spell them, in lower case; "*" stands for all.
        networks: Addresses, whatever the name that leads to them.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """From names, addresses, networks like 10.0.0.0/8, or "*".

        Raises:
            GoodsError: One of them is a URL, or has a port.
        """
        names, networks = set(), []
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError as error:
                if "/" in entry or ":" in entry or not entry:
                    raise GoodsError(
                        f"'{entry}' is no host that can be allowed: pass names, addresses or "
                        "networks, like shop.local or 10.0.0.0/8, without port and path"
                    ) from error
                names.add(entry.lower().rstrip("."))
        return cls(frozenset(names), tuple(networks))

    def allow(self, host: str, address: Address) -> bool:
        """Whether this address, to which the host's name leads, may be connected to."""
        if is_public(address) or "*" in self.names or host.lower().rstrip(".") in self.names:
            return True
        return any(address in network for network in self.networks)


def is_public(address: Address | str) -> bool:
    """Whether an address is one of the open internet, also in what it embeds."""
    if isinstance(address, str):
        address = ip_address(address)
    if isinstance(address, IPv4Address):
        is_inside = any(address in network for network in _INSIDE_CLOUDS)
        return address.is_global and not address.is_multicast and not is_inside
    embedded = _embedded(address)
    if embedded is not None:
        return is_public(embedded)
    is_special = address.is_multicast or address.is_reserved or address.is_site_local
    return address.is_global and not is_special


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which a gateway or the system itself translates this one."""
    if any(address in network for network in _EMBEDDING):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
