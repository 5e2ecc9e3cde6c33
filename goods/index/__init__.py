"""The index: one Protocol and its two homes, chosen by the address.

path/to/folder               Qdrant Edge, the engine inside this process
http(s)://host:6333/name     collection `name` of a Qdrant server or cluster
"""

from goods.errors import IndexStoreError
from goods.index.conditions import AnyOf, Condition, Exists, HasId, Not, Range
from goods.index.contract import Contract
from goods.index.planner import SearchMode
from goods.index.quantization import Quantization
from goods.index.records import (
    FacetCount,
    Found,
    IndexInfo,
    Order,
    Point,
    Record,
    Vector,
    are_unit,
    check_points,
)
from goods.index.vector_index import VectorIndex
from goods.index.words import Words
from goods.urls import is_url

__all__ = [
    "AnyOf",
    "Condition",
    "Contract",
    "Exists",
    "FacetCount",
    "Found",
    "HasId",
    "IndexInfo",
    "Not",
    "Order",
    "Point",
    "Quantization",
    "Range",
    "Record",
    "SearchMode",
    "Vector",
    "VectorIndex",
    "Words",
    "are_unit",
    "check_points",
    "open_index",
]


def open_index(address: str, *, api_key: str | None = None, timeout_s: float = 60) -> VectorIndex:
    """The index at this address, whether or not it has been created yet.

    Args:
        address: A folder path, or `http(s)://host[:port]/collection`.
        api_key: For a server that asks for one.
        timeout_s: How long one request to a server may take.

    Raises:
        IndexLockedError: Another process holds the folder.
        IndexStoreError: The address cannot be used, or the server does not answer.
    """
    if is_url(address):
        from goods.index.server import ServerIndex
        from goods.index.server_connection import Connection

        return ServerIndex(Connection.open(address, api_key=api_key, timeout_s=timeout_s))
    if "://" in address:
        raise IndexStoreError(
            f"index address {address!r}: use a folder path or http(s)://host:6333/collection"
        )
    from goods.index.edge import EdgeIndex

    return EdgeIndex(address)
