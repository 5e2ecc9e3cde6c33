"""The address of an index on a Qdrant server."""

import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from goods.errors import IndexStoreError

_REST_PORT, _GRPC_PORT = 6333, 6334

_FORM = re.compile(
    r"(?P<url>https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[^/?#@\s]+)*)"
    r"/(?P<collection>\w[\w.-]{0,199})/?"
)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """`http(s)://host[:port][/prefix]/collection`, taken apart."""

    url: str
    collection: str

    @classmethod
    def parse(cls, address: str) -> "ServerAddress":
        """The parts of an address.

        Raises:
            IndexStoreError: It has another form, or a collection cannot have this name.
        """
        match = _FORM.fullmatch(address)
        try:
            has_place = match is not None and urlsplit(match["url"]).port != 0
        except ValueError:  # a port above 65535, or brackets around what is no IPv6 address
            has_place = False
        if match is None or not has_place:
            shown = address.rpartition("@")[2]  # what stands before may be a password
            raise IndexStoreError(
                f"index address {shown!r}: use http(s)://host:{_REST_PORT}/collection, the name "
                "made of letters, digits, '_', '-' and '.' (an API key goes into --api-key)"
            )
        return cls(match["url"], match["collection"])

    def offers_grpc(self, port: int = _GRPC_PORT, timeout_s: float = 0.5) -> bool:
        """Whether the host answers on the gRPC port beside the plain HTTP one."""
        parts = urlsplit(self.url)
        if parts.scheme == "https" or parts.path:  # a proxy stands before it
            return False
        if parts.port not in (None, _REST_PORT):  # the gRPC port may be another server's
            return False
        try:
            with socket.create_connection((str(parts.hostname), port), timeout=timeout_s):
                return True
        except OSError:
            return False
