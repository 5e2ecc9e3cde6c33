"""Vectors that need no embedding: those that the journal or the index has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from goods.index import Vector, VectorIndex
from ingest.journal import Journal
from ingest.plan import Planned, Work


@dataclass(frozen=True, slots=True)
class KnownVectors:
    """What was embedded before.

    Attributes:
        journal: Knows the vectors of pictures by their digest.
        index: Knows those of the products that it holds.
        made_by: What has to have made them.
    """

    journal: Journal
    index: VectorIndex
    made_by: str

    def of(self, batch: Sequence[Planned]) -> Iterator[Vector | None]:
        """For each product its vector; None where its picture has to be read first."""
        digests = [item.picture for item in batch if item.picture and item.vector is None]
        vectors = self.journal.vectors(self.made_by, digests)
        for item in batch:
            yield vectors.get(item.picture or "") if item.vector is None else item.vector

    def of_read(self, item: Planned, digest: str) -> Vector | None:
        """The same for one whose picture was read, and has this digest."""
        if digest == item.before:  # unless another run has deleted it meanwhile
            for record in self.index.fetch([item.product.point_id], with_vectors=True, keys=()):
                return record.vector
        return self.journal.vectors(self.made_by, [digest]).get(digest)


def work_of(item: Planned, digest: str) -> Work:
    """What a product needed, now that its picture was read: it may be the same one elsewhere."""
    return Work.MOVED if digest == item.before else item.work
