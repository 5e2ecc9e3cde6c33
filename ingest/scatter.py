"""From planned products to vectors by way of several workers, in processes or on a cluster.

One driver plans, keeps the journal and writes; workers only load pictures and embed them. What the
driver knows the vector of never leaves it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from goods.index import Vector
from ingest.batch_size import BatchSize
from ingest.chunk import CHUNK, Reply, errand
from ingest.clock import StageClock
from ingest.embed import LONGEST_WAIT, Embedded
from ingest.journal import Seen
from ingest.known import KnownVectors, work_of
from ingest.load import bare
from ingest.plan import Planned
from ingest.refused import Refused


class Crew(Protocol):
    """Workers, wherever they run."""

    @property
    def workers(self) -> int:
        """How many there are."""
        ...

    def embed(self, chunks: Iterable[Sequence[Planned]]) -> Iterator[Reply]:
        """The reply to each chunk of `errand`s, in order; a few of them are under way.

        Raises:
            GoodsError: A worker ended, or cannot go on.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scattering:
    """What sends pictures to workers.

    Attributes:
        crew: The workers.
        known: Vectors that need no worker.
        size: Told how many pictures a worker embeds at a time.
        clock: Told how busy the workers are.
        refuse: Told of products whose picture cannot be used.
    """

    crew: Crew
    known: KnownVectors
    size: BatchSize
    clock: StageClock
    refuse: Callable[[Refused], None]

    def embed(self, planned: Iterable[Sequence[Planned]]) -> Iterator[list[Embedded]]:
        """The products in order, in batches, all with their vectors."""
        sent: deque[list[Planned | Embedded]] = deque()

        def errands() -> Iterator[list[Planned]]:
            for chunk in self._chunks(planned):
                sent.append([_waiting(item) for item in chunk])
                yield [errand(item) for item in chunk if isinstance(item, Planned)]

        for reply in self.crew.embed(errands()):
            self.size.size = reply.batch_size
            for stage in reply.stages:
                self.clock.add(stage.stage, stage.products, stage.busy_s)
            for refused in reply.refused:
                self.refuse(refused)
            yield list(_joined(sent.popleft(), reply))

    def _chunks(self, planned: Iterable[Sequence[Planned]]) -> Iterator[list[Planned | Embedded]]:
        """The products in order, cut where there are enough pictures for a worker."""
        at_most = max(CHUNK, self.size.size)
        chunk: list[Planned | Embedded] = []
        to_embed = 0
        for batch in planned:
            for item, vector in zip(batch, self.known.of(batch), strict=True):
                if vector is None or item.picture is None:
                    chunk.append(item)
                    to_embed += 1
                else:
                    chunk.append(_settled(item, item.picture, vector))
                if to_embed >= at_most or len(chunk) >= max(LONGEST_WAIT, at_most):
                    yield chunk
                    chunk, to_embed = [], 0
        if chunk:
            yield chunk


def _joined(chunk: Iterable[Planned | Embedded], reply: Reply) -> Iterator[Embedded]:
    """The products of a chunk with what a worker found out about them, without the refused ones."""
    found = {item.product.id: item for item in reply.embedded}
    for item in chunk:
        if isinstance(item, Embedded):
            yield item
        elif one := found.get(item.product.id):
            yield _settled(item, one.picture, one.vector, one.seen, is_fresh=one.is_fresh)


def _waiting(item: Planned | Embedded) -> Planned | Embedded:
    """The same without the bytes of its picture, which the worker has now."""
    return item if isinstance(item, Embedded) else replace(item, product=bare(item.product))


def _settled(
    item: Planned, picture: str, vector: Vector, seen: Seen | None = None, is_fresh: bool = False
) -> Embedded:
    work = work_of(item, picture) if seen else item.work
    product = bare(item.product)
    return Embedded(product, work, item.payload, picture, vector, seen, is_fresh)
