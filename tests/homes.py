"""Both homes of an index, for tests of what has to be the same in each."""

from pathlib import Path

from qdrant_client import QdrantClient

from goods.index import VectorIndex
from goods.index.edge import EdgeIndex
from goods.index.server import ServerIndex
from goods.index.server_calls import Patience
from goods.index.server_connection import Connection

HOMES = ("edge", "server")


def new_home(kind: str, folder: Path) -> VectorIndex:
    """An index that was not created yet."""
    return EdgeIndex(folder) if kind == "edge" else server_double(QdrantClient(":memory:"))


def server_double(client: QdrantClient) -> ServerIndex:
    """A server's index on a client in local mode, which says of itself that it is no server."""
    patience = Patience(poll_s=0.001)
    return ServerIndex(Connection(client, "products", "http://test/products", patience=patience))
