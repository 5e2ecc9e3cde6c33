"""A stand-in for a Qdrant server: it answers as the REST API is documented to, and takes notes.

It keeps collections, aliases and points, but searches nothing: queries are answered with the first
points that it has.
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from goods.index.server import ServerIndex
from goods.index.server_calls import Patience
from goods.index.server_connection import Connection

QUICK = Patience(attempts=3, longest_wait_s=0.01, graph_timeout_s=0.2, poll_s=0.005)
HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000}
OPTIMIZERS = {"default_segment_number": 0, "flush_interval_sec": 5}


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    query: dict[str, list[str]]
    api_key: str | None
    body: Any

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class Fault(NamedTuple):
    """An answer to give instead of the right one."""

    status: int = 0  # 0: close the connection
    error: str = "out of order"
    retry_after_s: int | None = None
    body: bytes | None = None  # instead of the error as JSON
    is_done: bool = False  # the request is carried out before its answer is lost
    after_s: float = 0


@dataclass
class Stub:
    """The server's state, and what tests look at and arrange.

    Attributes:
        version: What it says it is.
        root: The body of `GET /`, when it is no Qdrant at all.
        faults: Answers to the next requests whose line matches a pattern.
        statuses: What the next looks at a collection find; green when used up.
        chaos: Decides for each request whether it gets another answer.
    """

    version: str = "1.19.1"
    root: bytes | None = None
    chaos: Callable[[Request], Fault | None] | None = None
    requests: list[Request] = field(default_factory=list)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    points: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: deque[tuple[str, Fault]] = field(default_factory=deque)
    statuses: deque[str] = field(default_factory=deque)
    port: int = 0

    def fail(self, pattern: str, *faults: Fault) -> None:
        """Answer the next requests like this one with these faults."""
        self.faults.extend((pattern, fault) for fault in faults)

    def lines(self, pattern: str = "") -> list[str]:
        """The requests so far, as `METHOD /path`, that contain the pattern."""
        return [r.line for r in self.requests if re.search(pattern, r.line)]

    def body(self, pattern: str) -> Any:
        """The body of the last request like this one."""
        return [r.body for r in self.requests if re.search(pattern, r.line)][-1]

    def answer(self, request: Request) -> Any:
        """The `result` of a request; KeyError when the collection does not exist."""
        if request.path == "/aliases":
            pairs = self.aliases.items()
            return {"aliases": [{"alias_name": a, "collection_name": c} for a, c in pairs]}
        if request.path == "/collections":
            return {"collections": [{"name": name} for name in self.collections]}
        if request.path == "/collections/aliases":
            return self._change_aliases(request.body["actions"])
        _, _, name, *rest = request.path.split("/")
        what = "/".join(rest)
        if what == "exists":
            return {"exists": name in self.collections}
        if request.line == f"PUT /collections/{name}":
            self.collections[name] = {"metadata": {}, "hnsw_config": {}} | request.body
            self.points[name] = {}
            return True
        actions: dict[str, Callable[[], Any]] = {
            "GET ": lambda: self._info(name),
            "PATCH ": lambda: self._update(name, request.body),
            "DELETE ": lambda: self.collections.pop(name) is not None,
            "PUT index": lambda: {"operation_id": 1, "status": "completed"},
            "PUT points": lambda: self._upsert(name, request.body["points"]),
            "POST points": lambda: [
                self.points[name][i] for i in request.body["ids"] if i in self.points[name]
            ],
            "POST points/delete": lambda: self._delete(name, request.body["points"]),
            "POST points/count": lambda: {"count": len(self.points[name])},
            "POST facet": lambda: {"hits": [{"value": "Red", "count": 1}]},
            "POST points/scroll": lambda: {"points": list(self.points[name].values())},
            "POST points/query": lambda: {
                "points": [
                    {"id": p["id"], "version": 1, "score": 0.5, "payload": p["payload"]}
                    for p in self.points[name].values()
                ][: request.body["limit"]]
            },
        }
        _ = self.collections[name]
        return actions[f"{request.method} {what}"]()

    def _change_aliases(self, actions: list[dict[str, Any]]) -> bool:
        for action in actions:
            if "delete_alias" in action:
                del self.aliases[action["delete_alias"]["alias_name"]]
            else:
                alias = action["create_alias"]
                self.aliases[alias["alias_name"]] = alias["collection_name"]
        return True

    def _info(self, name: str) -> dict[str, Any]:
        collection = self.collections[name]
        status = self.statuses.popleft() if self.statuses else "green"
        return {
            "status": status,
            "optimizer_status": {"error": "no space"} if status == "red" else "ok",
            "indexed_vectors_count": len(self.points[name]),
            "points_count": len(self.points[name]),
            "segments_count": 1,
            "config": {
                "params": {"vectors": collection.get("vectors")},
                "hnsw_config": HNSW | collection["hnsw_config"],
                "optimizer_config": OPTIMIZERS,
                "metadata": collection["metadata"],
            },
            "payload_schema": {},
        }

    def _update(self, name: str, changes: dict[str, Any]) -> bool:
        for key, value in changes.items():
            before = {} if key == "quantization_config" else self.collections[name].get(key, {})
            self.collections[name][key] = before | value if isinstance(value, dict) else value
        return True

    def _upsert(self, name: str, points: list[dict[str, Any]]) -> dict[str, Any]:
        self.points[name] |= {point["id"]: point for point in points}
        return {"operation_id": 1, "status": "completed"}

    def _delete(self, name: str, ids: list[str]) -> dict[str, Any]:
        for point_id in ids:
            self.points[name].pop(point_id, None)
        return {"operation_id": 1, "status": "completed"}


@contextmanager
def serve(stub: Stub) -> Iterator[Stub]:
    """The stub, answering on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                unquote(parts.path),
                parse_qs(parts.query),
                self.headers.get("api-key"),
                body,
            )
            stub.requests.append(request)
            fault = self.next_fault(request)
            time.sleep(fault.after_s if fault else 0)
            if fault is None or fault.is_done:
                status, answer = self.right_answer(request)
            if fault is None:
                self.reply(status, answer)
            elif fault.status:
                self.reply(fault.status, fault.body or error(fault.error), fault.retry_after_s)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's

        def next_fault(self, request: Request) -> Fault | None:
            if stub.chaos:
                return stub.chaos(request)
            if stub.faults and re.search(stub.faults[0][0], request.line):
                return stub.faults.popleft()[1]
            return None

        def right_answer(self, request: Request) -> tuple[int, bytes]:
            if request.path == "/":
                title = {"title": "qdrant - vector search engine", "version": stub.version}
                return 200, stub.root or json.dumps(title).encode()
            try:
                result = stub.answer(request)
            except KeyError as missing:
                return 404, error(f"Not found: Collection {missing} doesn't exist!")
            return 200, json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()

        def reply(self, status: int, answer: bytes, retry_after_s: int | None = None) -> None:
            self.send_response(status)
            if retry_after_s is not None:
                self.send_header("Retry-After", str(retry_after_s))
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    def error(text: str) -> bytes:
        return json.dumps({"status": {"error": text}, "time": 0.0}).encode()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.port = server.server_port
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield stub
    server.shutdown()
    server.server_close()
    thread.join()


def connect(stub: Stub, api_key: str | None = None) -> ServerIndex:
    """The index `products` on the stub, by a client without much patience."""
    address = f"http://127.0.0.1:{stub.port}/products"
    return ServerIndex(Connection.open(address, api_key=api_key, timeout_s=5, patience=QUICK))
