"""From vectors to the journal, and from there to the index."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from goods.errors import IndexRequestError
from goods.index import Point, VectorIndex, are_unit
from goods.index.contract import Fingerprint, payload_of
from goods.streams import map_ahead
from ingest.clock import StageClock
from ingest.embed import Embedded
from ingest.journal import Journal
from ingest.refused import Refused


def journalled(
    batches: Iterable[Sequence[Embedded]], journal: Journal, made_by: str, clock: StageClock
) -> Iterator[Sequence[Embedded]]:
    """The same batches, once what was computed for them is in the journal.

    It belongs into the thread that embeds, so that a run that is killed has lost one batch at most.
    """
    for batch in batches:
        fresh = [item for item in batch if item.is_fresh]
        is_good = are_unit([item.vector for item in fresh])
        vectors = {
            item.picture: item.vector for item, is_one in zip(fresh, is_good, strict=True) if is_one
        }
        with clock.measure("journal", len(vectors)):
            seen = (item.seen for item in batch if item.seen is not None)
            journal.keep(made_by, vectors, seen)
        yield batch


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that the index has confirmed, and what it did not take of it."""

    products: Sequence[Embedded]
    refused: Sequence[Refused]


@dataclass(frozen=True, slots=True)
class Writing:
    """Where batches are written.

    Attributes:
        index: Gets the points.
        clock: Told how long it took.
    """

    index: VectorIndex
    clock: StageClock

    def write(self, batches: Iterable[Sequence[Embedded]]) -> Iterator[Written]:
        """The batches in order, each durable when it comes."""
        streams = self.index.streams
        with ThreadPoolExecutor(streams) as pool:
            yield from map_ahead(self._written, batches, pool, streams)

    def _written(self, batch: Sequence[Embedded]) -> Written:
        with self.clock.measure("upsert", len(batch)):
            refused = list(self._upserted(batch))
        ids = {item.product for item in refused}
        return Written([item for item in batch if item.product.id not in ids], refused)

    def _upserted(self, batch: Sequence[Embedded]) -> Iterator[Refused]:
        """Write them; when the index does not take the batch, find out which of them it is."""
        try:
            self.index.upsert([_point(item) for item in batch])
        except IndexRequestError as error:
            if len(batch) == 1:
                product = batch[0].product
                yield Refused(product.row, product.id, "index", "index", str(error))
                return
            middle = len(batch) // 2
            yield from self._upserted(batch[:middle])
            yield from self._upserted(batch[middle:])


def _point(item: Embedded) -> Point:
    payload = payload_of(item.product, Fingerprint(item.picture, item.payload))
    return Point(item.product.point_id, item.vector, payload)
