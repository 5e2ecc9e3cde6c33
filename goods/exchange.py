"""One request for a picture and its answer, over connections that are kept open."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

import httpcore
import httpx
from h2.exceptions import H2Error

from goods.answers import (
    Fetched,
    check_status,
    condition,
    read_body,
    retry_after_s,
    validator_of,
)
from goods.connections import CheckedConnections, read_or_close
from goods.errors import PictureError, PictureFault
from goods.hosts import Host, NoAnswerError, PassingError
from goods.limits import PictureLimits
from goods.public_addresses import PrivateHosts

_KEPT_OPEN_S = 15.0
_HEADERS = {
    "User-Agent": "clip-for-goods",
    "Accept": "image/*",
    "Accept-Encoding": "identity",  # pictures are compressed; a zipped one may be a bomb
}
_NOT_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}  # for all its pictures
_MOVED = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}
_MOVED |= {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
_NOT_HTTP = (httpcore.LocalProtocolError, H2Error, ValueError)
"""What is raised when an answer is not as HTTP has it; ValueError: a status like "2xx"."""


class Exchange:
    """Asks for one picture at one place; owns the connections. Lives in one event loop.

    HTTP/2 where the host speaks it. Only addresses that are public, or allowed, are connected to.
    Proxies of the environment are not used: it would be the proxy that looks names up, and nobody
    could say which address is asked.
    """

    def __init__(self, limits: PictureLimits) -> None:
        self._limits = limits
        self._connections = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),  # SSL_CERT_FILE may name a shop's own authority
            max_connections=None,  # whoever asks bounds them
            max_keepalive_connections=limits.in_flight,
            keepalive_expiry=_KEPT_OPEN_S,
            http2=True,
            network_backend=CheckedConnections(PrivateHosts.of(limits.allow_private)),
        )
        # A connection on which nothing at all comes is not used again, so its time has to end
        # before that of the picture.
        whole_s = limits.timeout_s
        times_s = {"connect": 0.5 * whole_s, "read": 0.8 * whole_s, "write": 0.8 * whole_s}
        self._extensions: dict[str, object] = {"timeout": times_s}

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    async def ask(self, url: httpx.URL, host: Host, known: str | None) -> Fetched | httpx.URL:
        """The picture, or where else it is.

        Args:
            url: Where it is.
            host: Told that it answers, and when it asks for a rest.
            known: The validator of an earlier answer.

        Raises:
            NoAnswerError: The host cannot be reached, or says nothing.
            PassingError: It may have another answer in a moment.
            PictureError: It has none.
        """
        late = f"no answer within {self._limits.timeout_s:g} s"
        has_answered = False
        try:
            async with (
                asyncio.timeout(self._limits.timeout_s),
                self._connections.stream(
                    "GET", _core_url(url), headers=_headers(url, known), extensions=self._extensions
                ) as response,
            ):
                has_answered = True
                host.answered()
                return await self._whole(url, host, known, response)
        except (TimeoutError, httpcore.TimeoutException) as error:
            if has_answered:
                raise PassingError(PictureFault.BUSY, late) from error
            is_connected = not isinstance(error, httpcore.ConnectTimeout)
            raise NoAnswerError(late, str(url) if is_connected else object()) from error
        except httpcore.ConnectError as error:
            raise NoAnswerError(f"out of reach ({error})", object()) from error
        except UnicodeError as error:
            raise _no_url(error) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, *_NOT_HTTP) as error:
            is_broken = has_answered or isinstance(error, _NOT_HTTP)
            fault = PictureFault.BROKEN if is_broken else PictureFault.BUSY
            reason = str(error) or type(error).__name__
            raise PassingError(fault, f"the answer breaks off ({reason})") from error

    async def _whole(
        self, url: httpx.URL, host: Host, known: str | None, response: httpcore.Response
    ) -> Fetched | httpx.URL:
        """The answer, with its connection left fit for the next one."""
        body = response.aiter_stream()
        try:
            answer = await self._read(url, host, known, response, body)
        except PictureError:
            await read_or_close(body, response)
            raise
        await read_or_close(body, response)
        return answer

    async def _read(
        self,
        url: httpx.URL,
        host: Host,
        known: str | None,
        response: httpcore.Response,
        body: AsyncIterator[bytes],
    ) -> Fetched | httpx.URL:
        headers, limits = httpx.Headers(response.headers), self._limits
        if response.status == HTTPStatus.NOT_MODIFIED and known:
            return Fetched(None, known)
        if response.status in _MOVED and "Location" in headers:
            return _joined(url, headers["Location"])
        if response.status in _NOT_NOW:
            host.rest(retry_after_s(headers))
        check_status(response.status, headers, limits.max_wait_s)
        data = await read_body(body, headers, limits.max_bytes)
        return Fetched(data, validator_of(headers))


def parsed(url: str) -> httpx.URL:
    """The URL, if it is one that can be asked.

    Raises:
        PictureError: REFUSED; it is not.
    """
    try:
        place = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _no_url(error) from error
    if place.scheme not in ("http", "https") or not place.host:
        raise _no_url(ValueError("it needs http:// or https:// and a host"))
    return place


def _joined(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return parsed(str(url.join(location)))
    except httpx.InvalidURL as error:
        raise _no_url(error) from error


def _no_url(error: Exception) -> PictureError:
    return PictureError(PictureFault.REFUSED, f"it is no valid URL ({error})")


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _headers(url: httpx.URL, known: str | None) -> list[tuple[str | bytes, str | bytes]]:
    headers = {**_HEADERS, **condition(known)}
    if url.userinfo:
        user = b64encode(unquote_to_bytes(url.userinfo)).decode("ascii")
        headers["Authorization"] = f"Basic {user}"
    return list(headers.items())
