"""The service for tests: a small shop in an index, served by a real server in a thread."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from checkpoints import tiny_clip
from goods.catalog import open_catalog
from goods.index.edge import EdgeIndex
from ingest.settings import IngestSettings
from ingest.worker import ingest
from model.encoder import Encoder
from search.api.app import create_app
from search.api.serve import CONNECTIONS
from search.api.settings import ServiceSettings
from shop import make_shop, read_rows, write_rows


def make_home(folder: Path, count: int = 24) -> Path:
    """A folder with `shop/`, `model/` and `index/`."""
    make_shop(folder / "shop", count=count)
    tiny_clip(folder / "model")
    ingest_shop(folder)
    return folder


def make_home_with_plaid(folder: Path, count: int = 24) -> set[str]:
    """The same with every second product called plaid; the ids of those."""
    catalog = make_shop(folder / "shop", count=count)
    rows = read_rows(catalog)
    for row in rows[::2]:
        row["title"] = row["title"].replace("number", "in Plaid, number")
    write_rows(catalog, rows)
    tiny_clip(folder / "model")
    ingest_shop(folder)
    return {row["id"] for row in rows[::2]}


def ingest_shop(folder: Path) -> None:
    """Bring the index up to date with the shop."""
    encoder = Encoder.load(str(folder / "model"), device="cpu")
    index = EdgeIndex(folder / "index", wait_s=60)  # a busy machine takes its time to copy it
    try:
        catalog = open_catalog(folder / "shop/products.csv")
        ingest(catalog, index, encoder, IngestSettings(folder / "refused.jsonl"))
    finally:
        index.close()


@contextmanager
def served(settings: ServiceSettings, *, is_ready: bool = True) -> Iterator[httpx.Client]:
    """A client of the service, which listens on a port of its own; ready unless not awaited."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings), **CONNECTIONS))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            if is_ready:
                until(lambda: client.get("/readyz").status_code == 200)
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def until(is_true: "object", patience_s: float = 60) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: It never was.
    """
    assert callable(is_true)
    give_up = time.monotonic() + patience_s
    while not is_true():
        if time.monotonic() > give_up:
            raise TimeoutError("it never happened")
        time.sleep(0.05)
