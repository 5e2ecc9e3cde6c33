"""Who may ask what, how often, and how much they may send."""

import asyncio
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search.api.errors import RefusedError, problem
from search.api.settings import ServiceSettings

COOKIE = "goods_session"
SESSION_S = 12 * 3600

_CALLERS = 10_000  # whose requests are counted at once
_BURST_S = 2.0  # a caller who was quiet may ask as often at once as in so many seconds
_BODY_S = 30.0  # for a request to arrive as a whole
_OPEN = ("/healthz", "/readyz", "/", "/compare", "/session", "/openapi.json", "/favicon.ico")
_UNCOUNTED = ("/healthz", "/readyz", "/metrics", "/", "/compare", "/favicon.ico")


class Keys:
    """The keys, compared in a time that does not tell how far a guess was right."""

    def __init__(self, read: str | None, admin: str | None) -> None:
        self._read = _digest(read) if read else None
        self._admin = _digest(admin) if admin else None

    @property
    def is_open(self) -> bool:
        """Whether everybody may search."""
        return self._read is None

    def may_read(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a caller with these headers may search."""
        if self.is_open:
            return True
        given = _given(headers)
        if given is not None:
            return self.is_read_key(given)
        return self._is_session(_cookie(headers))

    def may_administer(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a caller with these headers may see the metrics."""
        if self._admin is None:
            return self.may_read(headers)
        given = _given(headers)
        return given is not None and hmac.compare_digest(_digest(given), self._admin)

    def is_read_key(self, given: str) -> bool:
        """Whether this is a key to search with."""
        digest = _digest(given)
        known = (key for key in (self._read, self._admin) if key is not None)
        return sum(hmac.compare_digest(digest, key) for key in known) > 0  # all, for even time

    def session(self, now: float | None = None) -> str:
        """A token that stands for the read key for half a day, and does not tell it."""
        ends = str(int((time.time() if now is None else now) + SESSION_S))
        return f"{ends}.{self._signature(ends)}"

    def _is_session(self, token: str) -> bool:
        ends, _, signature = token.partition(".")
        is_ours = hmac.compare_digest(self._signature(ends).encode(), signature.encode())
        return is_ours and int(ends) > time.time()

    def _signature(self, ends: str) -> str:
        secret = (self._read or b"") + (self._admin or b"")
        return hmac.new(secret, f"session {ends}".encode(), hashlib.sha256).hexdigest()


class Buckets:
    """One bucket of tokens for each caller: it fills steadily, and every request takes one."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._burst = max(1.0, rate * _BURST_S)
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str, now: float) -> float:
        """Take a token; seconds to wait if there is none, else 0."""
        if self._rate == 0:
            return 0.0
        tokens, last = self._callers.pop(caller, (self._burst, now))
        tokens = min(self._burst, tokens + (now - last) * self._rate)
        is_full = tokens >= 1
        self._callers[caller] = (tokens - 1 if is_full else tokens, now)
        while len(self._callers) > _CALLERS:
            self._callers.popitem(last=False)
        return 0.0 if is_full else (1 - tokens) / self._rate


class Guard:
    """ASGI middleware: host, key, rate and size of every request."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, keys: Keys) -> None:
        self._app = app
        self._hosts = {host.lower() for host in settings.hosts}
        self._max_body = settings.max_body
        self._keys = keys
        self._buckets = Buckets(settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            self._check(scope, headers)
            await self._app(scope, _limited(receive, self._max_body), send)
        except RefusedError as error:
            refusal = problem(error.status, str(error), error.headers)
            await refusal(scope, receive, send)

    def _check(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        path = scope["path"]
        if self._hosts and _host(headers) not in self._hosts:
            raise RefusedError(
                421, "this service does not answer to this host name; see --host-name"
            )
        if path not in _UNCOUNTED and not path.startswith("/static/"):
            wait_s = self._buckets.wait_s(_caller(scope, headers), time.monotonic())
            if wait_s:
                raise RefusedError(
                    429, "too many requests; wait a moment", {"Retry-After": str(int(wait_s) + 1)}
                )
        self._check_key(path, headers)
        if int(headers.get(b"content-length", b"0") or b"0") > self._max_body:
            raise RefusedError(413, f"the request has more than {self._max_body:,} bytes")

    def _check_key(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        if path == "/metrics":
            is_let_in = self._keys.may_administer(headers)
        else:
            is_let_in = path in _OPEN or path.startswith("/static/") or self._keys.may_read(headers)
        if not is_let_in:
            raise RefusedError(
                401,
                "a key is needed: Authorization: Bearer KEY, or X-Api-Key: KEY",
                {"WWW-Authenticate": "Bearer"},
            )


def _limited(receive: Receive, max_bytes: int) -> Receive:
    """The same, but a body that is too long or too slow ends in a RefusedError."""
    taken = 0
    deadline = time.monotonic() + _BODY_S
    is_whole = False

    async def limited() -> Message:
        nonlocal taken, is_whole
        if is_whole:
            return await receive()  # waits for the caller to leave
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                message = await receive()
        except TimeoutError as error:
            raise RefusedError(408, "the request did not arrive in time") from error
        taken += len(message.get("body", b""))
        if taken > max_bytes:
            raise RefusedError(413, f"the request has more than {max_bytes:,} bytes")
        is_whole = not message.get("more_body", False)
        return message

    return limited


def _host(headers: Mapping[bytes, bytes]) -> str:
    """The name that the caller knows us by, without the port."""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _caller(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Whose requests are counted together: a network, as one person may have 2^64 addresses."""
    given = _given(headers)
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        host = str(ip_network((address, 64), strict=False))
    return f"{host} {_digest(given).hex()}" if given else host


def _given(headers: Mapping[bytes, bytes]) -> str | None:
    """The key that a caller sends."""
    kind, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if kind.lower() == "bearer" and key.strip():
        return key.strip()
    own = headers.get(b"x-api-key", b"").decode("latin-1").strip()
    return own or None


def _cookie(headers: Mapping[bytes, bytes]) -> str:
    try:
        cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
