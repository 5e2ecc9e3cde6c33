"""A picture host for tests, each of whose paths answers as a test says."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from goods.limits import PictureLimits

BODY = b"a picture " * 100
LIMITS = PictureLimits(
    max_bytes=10_000,
    timeout_s=5,
    attempts=3,
    max_wait_s=0.02,
    patience_s=0.2,
    allow_private=("127.0.0.1",),
)
"""Of a downloader that asks the host, and does not wait for long."""


class Host(ThreadingHTTPServer):
    """Answers as `paths` says; counts what is asked for."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answer)
        self.paths: dict[str, Callable[[Answer], None]] = {}
        self.asked: Counter[str] = Counter()

    def url(self, path: str, answer: Callable[["Answer"], None]) -> str:
        self.paths[path] = answer
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that were given up."""


class Answer(BaseHTTPRequestHandler):
    server: Host
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        self.server.paths[self.path](self)

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, text in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    @property
    def attempt(self) -> int:
        return self.server.asked[self.path]

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def picture_host(port: int = 0) -> Iterator[Host]:
    """A running host on a free port, or on this one."""
    with Host(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
