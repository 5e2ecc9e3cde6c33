"""From planned products to pixels, unless their vector is known already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import torch

from goods.errors import PictureError
from goods.index import Vector, VectorIndex
from goods.pictures import Fetched, PictureLoader, decode
from goods.product import Product
from goods.streams import in_order, then
from ingest.clock import StageClock
from ingest.journal import Journal, Seen
from ingest.plan import Planned, Work
from ingest.recognise import seen_as
from ingest.refused import Refused, for_its_picture
from model.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Loaded:
    """A product on its way to the model, or past it.

    Attributes:
        product: The product, without the bytes of its picture: nobody needs them any more.
        work: What it needed.
        payload: Digest of the payload.
        picture: Digest of the picture.
        image: Its vector where that is known, else its pixels, `(1, ...)`, uint8.
        seen: What the journal should know, when the picture was read.
    """

    product: Product
    work: Work
    payload: str
    picture: str
    image: Vector | torch.Tensor
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Loading:
    """What loads pictures.

    Attributes:
        loader: Reads them.
        pool: Threads that decode and resize.
        encoder: Says what pixels it wants.
        journal: Knows the vectors of pictures that were embedded before.
        index: Knows those of pictures that it holds.
        depth: Pictures that may be on their way; bounds the memory.
        clock: Told how long it took.
    """

    loader: PictureLoader
    pool: Executor
    encoder: Encoder
    journal: Journal
    index: VectorIndex
    depth: int
    clock: StageClock

    def load(self, planned: Iterable[Sequence[Planned]]) -> Iterator[Loaded | Refused]:
        """The products in order, with their vector or with their pixels."""
        return in_order(self._begun(planned), self.depth)

    def _begun(
        self, planned: Iterable[Sequence[Planned]]
    ) -> Iterator[Loaded | Future[Loaded | Refused]]:
        for batch in planned:
            digests = [p.picture for p in batch if p.picture and p.vector is None]
            vectors = self.journal.vectors(self.encoder.made_by, digests)
            for item in batch:
                yield _known(item, vectors) or self._begin(item)

    def _begin(self, item: Planned) -> Future[Loaded | Refused]:
        """Fetch the picture, which for one on a host takes no thread, and then decode it in one."""
        picture = item.product.picture
        if picture.is_remote:
            return then(self.loader.start(picture), self.pool, lambda got: self._finish(item, got))
        return self.pool.submit(self._finish, item)

    def _finish(self, item: Planned, coming: Future[Fetched] | None = None) -> Loaded | Refused:
        with self.clock.measure("load", 1):
            try:
                return self._loaded(item, coming.result() if coming else self._fetched(item))
            except PictureError as error:
                return for_its_picture(item.product, error)

    def _fetched(self, item: Planned) -> Fetched:
        picture = item.product.picture
        return self.loader.fetch(picture) if picture.data is None else Fetched(picture.data)

    def _loaded(self, item: Planned, fetched: Fetched) -> Loaded:
        """The pixels, unless these very bytes are known, under whatever name."""
        seen = seen_as(item.product.picture.location, fetched)
        work = Work.MOVED if seen.digest == item.before else item.work
        image: Vector | torch.Tensor | None = self._vector(item.product, seen.digest, work)
        if image is None:
            image = self._pixels(seen.location, fetched.data or b"")
        return Loaded(_bare(item.product), work, item.payload, seen.digest, image, seen)

    def _vector(self, product: Product, digest: str, work: Work) -> Vector | None:
        if work is Work.MOVED:
            [record] = self.index.fetch([product.point_id], with_vectors=True, keys=())
            return record.vector
        return self.journal.vectors(self.encoder.made_by, [digest]).get(digest)

    def _pixels(self, location: str, data: bytes) -> torch.Tensor:
        image = decode(data, location, self.loader.limits, at_least=self.encoder.image_size)
        return self.encoder.pixels([image])


def _known(item: Planned, vectors: Mapping[str, Vector]) -> Loaded | None:
    vector = vectors.get(item.picture or "") if item.vector is None else item.vector
    if vector is None or item.picture is None:
        return None
    return Loaded(_bare(item.product), item.work, item.payload, item.picture, vector)


def _bare(product: Product) -> Product:
    return product.with_picture(replace(product.picture, data=None))
