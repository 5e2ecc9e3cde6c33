"""Pictures over HTTP, with one policy for all that can go wrong on the way."""

import asyncio
import logging
import threading
from base64 import b64encode
from concurrent.futures import Future
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

import httpcore
import httpx
from h2.exceptions import H2Error
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

from goods.answers import Fetched, check_status, condition, read_body, retry_after_s, validator_of
from goods.connections import CheckedConnections
from goods.errors import PictureError, PictureFault, blamed_on
from goods.hosts import Host, NoAnswerError, PassingError
from goods.limits import PictureLimits
from goods.public_addresses import PrivateHosts

log = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.5  # doubled after every attempt, and a random part of it is waited
_MAX_REDIRECTS = 5
_KEPT_OPEN_S = 15.0
_HEADERS = {
    "User-Agent": "clip-for-goods",
    "Accept": "image/*",
    "Accept-Encoding": "identity",  # pictures are compressed; a zipped one may be a bomb
}
_NOT_NOW = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}  # for all its pictures
_MOVED = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}
_MOVED |= {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
_BROKEN_PROTOCOL = (httpcore.ProtocolError, H2Error, ValueError)
"""What is raised when a host does not speak HTTP as it should; ValueError: a status like "2xx"."""


class Downloader:
    """Fetches pictures; owns the connections, and a thread in which all of them are served.

    Safe to use from several threads; hundreds of downloads may wait without one of their own.

    Time-outs, broken connections, 408, 425, 429 and 5xx are tried again, with a growing, jittered
    wait or as long as `Retry-After` says. A host that does not answer at all is waited for, see
    `Host`. All else is final. Only addresses that are public, or allowed, are connected to.

    Proxies of the environment are not used: it would be the proxy that looks names up, and nobody
    could say which address is asked.
    """

    def __init__(self, limits: PictureLimits) -> None:
        self._limits = limits
        self._hosts: dict[str, Host] = {}
        self._in_flight = asyncio.Semaphore(limits.in_flight)
        self._connections = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),  # SSL_CERT_FILE may name a shop's own authority
            max_connections=None,  # hosts and `in_flight` bound them
            max_keepalive_connections=limits.in_flight,
            keepalive_expiry=_KEPT_OPEN_S,
            http2=True,
            network_backend=CheckedConnections(PrivateHosts.of(limits.allow_private)),
        )
        self._backoff = wait_random_exponential(multiplier=_FIRST_WAIT_S, max=limits.max_wait_s)
        self._jitter = wait_random(max=min(_FIRST_WAIT_S, limits.max_wait_s))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="downloads", daemon=True
        )
        self._thread.start()

    def get(self, url: str, known: str | None = None) -> Fetched:
        """What is at a URL; see `submit`."""
        return self.submit(url, known).result()

    def submit(self, url: str, known: str | None = None) -> Future[Fetched]:
        """What will have come from a URL; may be cancelled.

        Args:
            url: Where the picture is.
            known: The validator of an earlier answer: the bytes come only if they are others.

        Raises:
            PictureError: From the future: GONE, BUSY, REFUSED or, for an answer that breaks off,
                BROKEN.
        """
        return asyncio.run_coroutine_threadsafe(self._fetch(url, known), self._loop)

    def close(self) -> None:
        """Give up what is on its way, and close the connections."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._connections.aclose()
        await self._loop.shutdown_default_executor()  # which looks up names

    async def _fetch(self, url: str, known: str | None) -> Fetched:
        policy = AsyncRetrying(
            stop=stop_after_attempt(self._limits.attempts),
            wait=self._wait_s,
            retry=retry_if_exception_type(PassingError),
            before_sleep=_log_attempt,
            reraise=True,
        )
        with blamed_on(url):
            return await policy(self._attempt, url, known)

    async def _attempt(self, url: str, known: str | None) -> Fetched:
        """The answer to one attempt, of which those that found the host away are none."""
        while True:
            place = _parsed(url)
            try:
                for _ in range(1 + _MAX_REDIRECTS):
                    host = self._host(place)
                    async with host.turn(), self._in_flight:
                        answer = await self._ask(place, host, known)
                    if isinstance(answer, Fetched):
                        return answer
                    place = answer
            except NoAnswerError:
                if not host.is_away:
                    raise
            else:
                raise PictureError(PictureFault.GONE, "it redirects in circles")

    def _host(self, url: httpx.URL) -> Host:
        name = url.netloc.decode("ascii")
        return self._hosts.setdefault(name, Host(name, self._limits))

    async def _ask(self, url: httpx.URL, host: Host, known: str | None) -> Fetched | httpx.URL:
        """The picture, or where else it is."""
        timeout_s = self._limits.timeout_s
        late = f"no answer within {timeout_s:g} s"
        has_answered = False
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._connections.stream(
                    "GET", _core_url(url), headers=_headers(url, known), extensions=self._timeouts
                ) as response,
            ):
                has_answered = True
                host.answered()
                return await self._read(url, host, known, response)
        except (TimeoutError, httpcore.TimeoutException) as error:
            if has_answered:
                raise PassingError(PictureFault.BUSY, late) from error
            is_connected = not isinstance(error, httpcore.ConnectTimeout)
            raise NoAnswerError(late, str(url) if is_connected else object()) from error
        except httpcore.ConnectError as error:
            raise NoAnswerError(f"out of reach ({error})", object()) from error
        except UnicodeError as error:
            raise _no_url(error) from error
        except (httpcore.NetworkError, *_BROKEN_PROTOCOL) as error:
            if has_answered:
                message = f"the answer breaks off ({error})"
                raise PassingError(PictureFault.BROKEN, message) from error
            raise NoAnswerError(f"the connection breaks off ({error})", str(url)) from error

    @property
    def _timeouts(self) -> dict[str, object]:
        # A connection on which nothing at all comes is not used again, so its time has to end
        # before that of the picture.
        whole_s = self._limits.timeout_s
        return {
            "timeout": {"connect": 0.5 * whole_s, "read": 0.8 * whole_s, "write": 0.8 * whole_s}
        }

    async def _read(
        self, url: httpx.URL, host: Host, known: str | None, response: httpcore.Response
    ) -> Fetched | httpx.URL:
        headers, limits = httpx.Headers(response.headers), self._limits
        if response.status == HTTPStatus.NOT_MODIFIED and known:
            return Fetched(None, known)
        if response.status in _MOVED and "Location" in headers:
            return _joined(url, headers["Location"])
        if response.status in _NOT_NOW:
            host.rest(retry_after_s(headers))
        check_status(response.status, headers, limits.max_wait_s)
        data = await read_body(response.aiter_stream(), headers, limits.max_bytes)
        return Fetched(data, validator_of(headers))

    def _wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.wait_s if isinstance(error, PassingError) else None
        return self._backoff(state) if asked_s is None else asked_s + self._jitter(state)


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _no_url(error) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise _no_url(ValueError("it needs http:// or https:// and a host"))
    return parsed


def _joined(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return _parsed(str(url.join(location)))
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


def _log_attempt(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("%s: %s; trying again in %.1f s", state.args[0], error, state.upcoming_sleep)
