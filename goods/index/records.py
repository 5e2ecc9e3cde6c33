"""What goes into an index and what comes out of it, in plain types that no engine owns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from goods.errors import IndexRequestError
from goods.index.contract import Contract
from goods.index.quantization import Quantization

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Point:
    """What is written: a unit vector of shape (d,) and its payload."""

    id: UUID
    vector: Vector
    payload: dict[str, Any]


class Record(NamedTuple):
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
        tuned: How many products it had when `goods tune` measured it; None if it never did.
        state: Another one after every measurement, and after writing: at once in a folder, at the
            end of an ingest on a server.
    """

    address: str
    engine: str
    generation: str
    points: int
    indexed: int
    quantization: Quantization
    tuned: int | None
    state: str = field(repr=False)
    contract: Contract = field(repr=False)

    @property
    def is_out_of_tune(self) -> bool:
        """Whether it should be measured: it has a graph and never was, or has outgrown what was."""
        if self.tuned is None:
            return self.indexed > 0
        return not self.points <= 2 * self.tuned <= 4 * self.points


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
