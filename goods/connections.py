"""Connections that go to addresses which were checked, and to no others."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from ipaddress import ip_address

import httpcore

from goods.errors import PictureError, PictureFault
from goods.hosts import PassingError
from goods.public_addresses import PrivateHosts

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)
_MAX_REST = 256 << 10  # bytes: of the pages that say that a picture is gone


class CheckedConnections(httpcore.AsyncNetworkBackend):
    """Looks a name up once, and connects to the very addresses that were checked.

    So a name server that answers otherwise when it is asked again (DNS rebinding) gains nothing,
    and redirects and odd spellings of addresses (0x7f.1, 2130706433) are checked like all else.
    """

    def __init__(self, allowed: PrivateHosts) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes it; see httpcore.

        Raises:
            PictureError: REFUSED; the host has no address that may be connected to.
            httpcore.ConnectError: The name or its addresses cannot be reached.
        """
        addresses = self._checked(host, await _look_up(host, port, timeout))
        share_s = timeout / len(addresses) if timeout else None
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, share_s, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                failure = httpcore.ConnectError(str(_root(error)))
            except httpcore.ConnectTimeout as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """See httpcore."""
        await asyncio.sleep(seconds)

    def _checked(self, host: str, addresses: Iterable[str]) -> list[str]:
        known = list(dict.fromkeys(addresses))
        allowed = [a for a in known if self._allowed.allow(host, ip_address(a))]
        if not allowed:
            raise PictureError(
                PictureFault.REFUSED,
                f"{host} is at {', '.join(known)}, which is no public address; "
                f"if you trust it, pass --allow-private-hosts {host}",
            )
        return allowed


async def read_or_close(rest: AsyncIterator[bytes], response: httpcore.Response) -> None:
    """Leave the connection of an answer fit for other pictures, or shut.

    What is unread of an HTTP/2 answer keeps its place in the window that all answers of the
    connection share; httpcore does not give it back, and they would all stand still one day.
    """
    length = 0
    async for chunk in rest:
        length += len(chunk)
        if length > _MAX_REST:
            await response.extensions["network_stream"].aclose()
            return


async def _look_up(host: str, port: int, timeout_s: float | None) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            raise PassingError(PictureFault.GONE, f"no host is called {host}") from error
        raise httpcore.ConnectError(f"{host} is not found: {error.strerror}") from error
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"{host} is not found in time") from error
    return [str(address[0]) for *_, address in found]


def _root(error: BaseException) -> BaseException:
    """What the system said, under what libraries made of it."""
    return _root(error.__cause__) if error.__cause__ else error
