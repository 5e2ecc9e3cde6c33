"""This machine's own addresses, which nobody else can reach."""

from ipaddress import ip_address

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""What callers on this machine call a service that listens there."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on a host."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
