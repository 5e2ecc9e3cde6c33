"""Where vectors come from: a model, and an index that has some of them already."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from goods.index import Vector, VectorIndex, open_index
from goods.index.contract import check_same_model, fingerprint_of
from goods.product import Product
from ingest.audit.look import Look
from model.encoder import Encoder


class IndexVectors:
    """Reads vectors from an index that the same model made.

    Raises:
        ModelMismatchError: Another model made its vectors.
        IndexMissingError: There is no index.
    """

    def __init__(self, index: VectorIndex, address: str, encoder: Encoder) -> None:
        check_same_model(address, index.contract, encoder.stamp, encoder.name)
        self._index = index

    def of(self, products: Sequence[Product], looks: Sequence[Look]) -> dict[int, Vector]:
        """By place in the batch the vectors of products whose picture is the one in the index."""
        place = {product.point_id: n for n, product in enumerate(products)}
        found = {}
        for record in self._index.fetch(list(place), with_vectors=True, keys=["goods"]):
            n = place[record.id]
            is_same = fingerprint_of(record.payload).picture == looks[n].digest
            if is_same and record.vector is not None:
                found[n] = record.vector
        return found


@dataclass(frozen=True, slots=True)
class Sources:
    """What makes vectors, and what has them; neither when nobody asked for vectors."""

    encoder: Encoder | None = None
    index: IndexVectors | None = None


@contextmanager
def vector_sources(
    model: str | None, address: str | None, api_key: str | None, device: str, dtype: str
) -> Iterator[Sources]:
    """The model, or else the one that the index names; and the index, closed in the end.

    Raises:
        ModelError: The checkpoint cannot be used.
        ModelMismatchError: Another model made the vectors of the index.
        IndexStoreError: The index cannot be read.
    """
    if address is None:
        yield Sources(Encoder.load(model, device, dtype) if model else None)
        return
    with closing(open_index(address, api_key=api_key)) as index:
        encoder = Encoder.load(model or index.contract.model, device, dtype)
        yield Sources(encoder, IndexVectors(index, address, encoder))
