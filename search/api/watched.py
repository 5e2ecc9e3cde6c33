"""Every request from outside: its log line, its numbers, its safe headers, and its last resort."""

import logging
import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goods.logs import FIELDS
from search.api.counters import Counters
from search.api.errors import problem

log = logging.getLogger("goods.serve")
access = logging.getLogger("goods.serve.access")

CSP = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class WatchedRequests:
    """ASGI middleware: the outermost one, so that nothing leaves without it.

    Args:
        app: What answers.
        counters: Told of every request.
        is_shared: Whether pages of other origins may show what is answered.
    """

    def __init__(self, app: ASGIApp, counters: Counters, *, is_shared: bool = False) -> None:
        self._app = app
        self._counters = counters
        reach = "cross-origin" if is_shared else "same-origin"
        self._safe = _HEADERS | {"Cross-Origin-Resource-Policy": reach}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, request = time.perf_counter(), 0, uuid.uuid4().hex[:16]

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._safe.items():
                    headers.setdefault(name, value)
                is_known = "etag" in headers  # files of the page: asked for again, not sent again
                headers.setdefault("Cache-Control", "no-cache" if is_known else "no-store")
                headers["X-Request-Id"] = request
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:  # the last resort: a bug is told by its number, and logged in full
            log.exception("request %s failed", request)
            if not status:
                failure = problem(
                    500, f"something went wrong; the log has it under request {request}"
                )
                await failure(scope, receive, noted)
        finally:
            self._note(scope, status, request, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, request: str, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._counters.requests.labels(route, str(status)).inc()
        self._counters.seconds.labels(route).observe(seconds)
        client = scope.get("client")
        fields = {
            "request": request,
            "method": scope["method"],
            "path": scope["path"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1e3, 1),
            "client": client[0] if client else None,
        }
        message = "%s %s %d in %.1f ms"
        values = (scope["method"], ascii(scope["path"])[1:-1], status, seconds * 1e3)
        access.info(message, *values, extra={FIELDS: fields})
