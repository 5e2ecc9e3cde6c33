"""A picture host that speaks HTTP/2 over TLS, and counts its connections."""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event, RequestReceived, WindowUpdated
from h2.exceptions import ProtocolError

Reply = Callable[["Stream"], None]


class Stream:
    """One request of a connection, and what can be said to it."""

    def __init__(self, h2: H2Connection, stream_id: int, path: str, attempt: int) -> None:
        self.h2 = h2
        self.id = stream_id
        self.path = path
        self.attempt = attempt
        self.unsent = memoryview(b"")

    def send(self, body: bytes, length: int | None = None, status: int = 200) -> None:
        claimed = str(len(body) if length is None else length)
        self.h2.send_headers(self.id, [(":status", str(status)), ("content-length", claimed)])
        self.unsent = memoryview(body)
        self.go_on()

    def go_on(self) -> None:
        """Send as much as the other side takes, and the end when that was all."""
        while self.unsent:
            room = min(self.h2.local_flow_control_window(self.id), self.h2.max_outbound_frame_size)
            if not room:
                return
            self.h2.send_data(self.id, bytes(self.unsent[:room]))
            self.unsent = self.unsent[room:]
        self.h2.end_stream(self.id)


class Http2Host:
    """Answers every path with `reply`."""

    def __init__(self, context: ssl.SSLContext, reply: Reply) -> None:
        context.set_alpn_protocols(["h2"])
        self._context = context
        self._reply = reply
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.connections = 0
        self.asked: Counter[str] = Counter()

    def serve(self) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _talk(self, connection: socket.socket) -> None:
        with (
            suppress(OSError, ProtocolError),
            self._context.wrap_socket(connection, server_side=True) as channel,
        ):
            self.connections += 1
            h2 = H2Connection(H2Configuration(client_side=False))
            h2.initiate_connection()
            channel.sendall(h2.data_to_send())
            streams: dict[int, Stream] = {}
            while data := channel.recv(65536):
                for event in h2.receive_data(data):
                    self._answer(h2, event, streams)
                channel.sendall(h2.data_to_send())

    def _answer(self, h2: H2Connection, event: Event, streams: dict[int, Stream]) -> None:
        if isinstance(event, RequestReceived):
            path = dict(event.headers)[b":path"].decode()
            self.asked[path] += 1
            stream = Stream(h2, event.stream_id, path, self.asked[path])
            streams[event.stream_id] = stream
            self._reply(stream)
        elif isinstance(event, WindowUpdated):
            for stream in streams.values():
                if stream.unsent:
                    stream.go_on()


@contextmanager
def http2_host(context: ssl.SSLContext, reply: Reply) -> Iterator[Http2Host]:
    """A running host."""
    host = Http2Host(context, reply)
    thread = threading.Thread(target=host.serve)
    thread.start()
    try:
        yield host
    finally:
        host.close()
        thread.join()
