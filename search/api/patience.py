"""HTTP/1.1 connections that do not wait for ever for a request to come in."""

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 10.0
"""Seconds in which the head of a request has to arrive: a phone in a tunnel takes less."""

READING_S = 30.0
"""Seconds in which a caller has to take some of an answer."""


LINGER_S = 1.0
"""Seconds in which the rest of a request that was refused unread is thrown away."""

_REFUSAL = (
    b'{"error":{"code":"bad_request","message":"this is no HTTP request, or its head is too long"}}'
)


class PatientProtocol(H11Protocol):
    """uvicorn's own, which has no limit of time for a request's head.

    Without one, a caller who sends a byte a minute holds a connection for as long as he likes. The
    size of the head is limited by h11, to 64 KiB.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        # asyncio does this for its own sockets only; without it head and body are sent apart, and
        # the caller's system acknowledges the first 40 ms late
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            timeout_ms = int(1000 * READING_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; a head that has begun has to end in time."""
        if self._is_refused:
            return
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._head_timer is None:
            self._wait_for_head()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - we say it as all failures
        """Refuse what cannot be read, and hang up once the rest of it has come.

        A connection that is closed with something unread is reset, and the answer lost with it.
        """
        self._is_refused = True
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (answer, h11.Data(data=_REFUSAL), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEADERS_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
