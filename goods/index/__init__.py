"""The index: one Protocol and its two homes, chosen by the address.

path/to/folder               Qdrant Edge, the engine inside this process
http(s)://host:6333/name     collection `name` of a Qdrant server or cluster
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from goods.errors import IndexRequestError, IndexStoreError
from goods.index.conditions import AnyOf, Condition, Exists, HasId, Not, Range
from goods.index.contract import Contract
from goods.index.planner import SearchMode
from goods.index.quantization import Quantization
from goods.index.words import Words

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
    "VectorIndex",
    "Words",
    "are_unit",
    "check_points",
    "open_index",
]

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Point:
    """What is written: a unit vector of shape (d,) and its payload."""

    id: UUID
    vector: Vector
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """What is read back by id; the vector only when it was asked for."""

    id: UUID
    payload: dict[str, Any]
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, with a score, higher is closer; the vector only when asked for."""

    id: UUID
    score: float
    payload: dict[str, Any]
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """By which number field to list points."""

    field: str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How many matching products have this value."""

    value: str | bool
    count: int


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """The state of an index.

    Attributes:
        address: Where it is.
        engine: What keeps it, with its version.
        generation: Folder or collection that is being served.
        points: How many products it holds.
        indexed: How many of them the HNSW graph covers; the rest are scanned.
        quantization: In which form the graph compares vectors; without a graph, the form to come.
    """

    address: str
    engine: str
    generation: str
    points: int
    indexed: int
    quantization: Quantization
    contract: Contract = field(repr=False)


class VectorIndex(Protocol):
    """Unit vectors with payloads, searchable by cosine under conditions.

    Every method raises IndexStoreError when the engine fails or the index was closed. Reading an
    index that was never created raises IndexMissingError.
    """

    streams: int
    """Batches that it pays to write at a time, from as many threads."""

    quantizations: tuple[Quantization, ...]
    """Those that the engine offers."""

    @property
    def contract(self) -> Contract:
        """What the vectors are and which fields they carry."""

    def create(self, contract: Contract, *, rebuild: bool = False) -> None:
        """Make the index ready to be written under this contract; keep what it already holds.

        An index of the same model is kept and gains the fields that are new. With `rebuild` a new
        generation is begun beside it (or an unfinished one is taken up), and replaces it on `seal`.

        Raises:
            ModelMismatchError: The index was made by another model, and `rebuild` is off.
            SchemaError: A field is compared in another way than before, and `rebuild` is off.
        """

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points, replacing those with the same id; durable when this returns.

        Raises:
            IndexRequestError: One of them is such that it cannot be taken; none was written.
        """

    def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points; unknown ids are no error. Durable when this returns."""

    def search(
        self,
        vector: Vector,
        limit: int,
        *,
        offset: int = 0,
        conditions: Sequence[Condition] = (),
        mode: SearchMode | None = None,
        with_vectors: bool = False,
    ) -> list[Found]:
        """The points closest to a unit vector of shape (d,), best first; scores are cosines.

        How to search is planned from the conditions unless `mode` says it.
        """

    def search_words(
        self,
        words: Words,
        limit: int,
        *,
        conditions: Sequence[Condition] = (),
        with_vectors: bool = False,
    ) -> list[Found]:
        """The points that share words with a query, best first; scores are BM25, above 0."""

    def listed(
        self, limit: int, *, conditions: Sequence[Condition] = (), order: Order | None = None
    ) -> list[Record]:
        """The first points under the conditions, in the order of ids or of a number field.

        With an `order`, points without that number are left out.
        """

    def fetch(
        self,
        ids: Sequence[UUID],
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> list[Record]:
        """The points with these ids, in any order; unknown ids are left out.

        Of their payload all, or only these top-level keys: none of it when there are none.
        """

    def count(self, conditions: Sequence[Condition] = (), *, exact: bool = True) -> int:
        """How many points hold to the conditions; an estimate when not `exact`."""

    def facet(
        self, field: str, conditions: Sequence[Condition] = (), *, limit: int = 100
    ) -> list[FacetCount]:
        """The most frequent values of a keyword or boolean field, with exact counts."""

    def scan(
        self,
        batch: int = 1000,
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> Iterator[Record]:
        """Every point, in the order of ids; of its payload what `fetch` would give."""

    def seal(self) -> None:
        """Finish a load: build the graph where it pays, and serve a generation begun by rebuild."""

    def quantize(self, quantization: Quantization) -> None:
        """Keep vectors in this form from the next `seal` on, or at once; until a rebuild."""

    def read_note(self, name: str) -> dict[str, Any] | None:
        """What `write_note` kept under this name; None when there is nothing."""

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Keep something that was measured on this index, in JSON's own types, until a rebuild."""

    def info(self) -> IndexInfo:
        """The state of the index."""

    def close(self) -> None:
        """Release the folder or the connections; closing twice is no error."""


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
    if address.startswith(("http://", "https://")):
        from goods.index.server import ServerIndex

        return ServerIndex.connect(address, api_key=api_key, timeout_s=timeout_s)
    if "://" in address:
        raise IndexStoreError(
            f"index address {address!r}: use a folder path or http(s)://host:6333/collection"
        )
    from goods.index.edge import EdgeIndex

    return EdgeIndex(address)


def are_unit(vectors: Sequence[Vector]) -> NDArray[np.bool_]:
    """Which of these vectors, all of shape (d,), have length 1 as far as half floats tell."""
    if not vectors:
        return np.empty(0, np.bool_)
    is_one: NDArray[np.bool_] = np.abs(np.linalg.norm(np.stack(vectors), axis=1) - 1) < 1e-3
    return is_one  # false for NaN


def check_points(points: Sequence[Point], dimension: int) -> None:
    """Refuse vectors that an engine would take and never find again.

    Raises:
        IndexRequestError: A vector has another length, is not finite, or is not of length 1.
    """
    for point in points:
        if point.vector.shape != (dimension,):
            raise IndexRequestError(
                f"product {point.payload['id']}: its vector has shape {point.vector.shape}, "
                f"the index takes ({dimension},)"
            )
    for point, is_one in zip(points, are_unit([p.vector for p in points]), strict=True):
        if not is_one:
            raise IndexRequestError(
                f"product {point.payload['id']}: its vector has length "
                f"{np.linalg.norm(point.vector)}, not 1; "
                "the model gives broken vectors for this picture"
            )
