"""What an index does, in whichever home it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from goods.index.conditions import Condition
from goods.index.contract import Contract
from goods.index.planner import SearchMode
from goods.index.quantization import Quantization
from goods.index.records import FacetCount, Found, IndexInfo, Order, Point, Record, Vector
from goods.index.words import Words


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

    def read_ledger(self) -> bytes:
        """What `write_ledger` kept, if nobody has written points since; else nothing."""

    def write_ledger(self, ledger: bytes) -> None:
        """Keep something that is true of the points until one of them is written or deleted.

        Where that would not be noticed, nothing is kept.
        """

    def info(self) -> IndexInfo:
        """The state of the index."""

    def close(self) -> None:
        """Release the folder or the connections; closing twice is no error."""
