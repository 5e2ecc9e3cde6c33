"""From planned products to pixels, unless their vector is known already."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from itertools import chain

import torch

from goods.errors import PictureError
from goods.index import Vector
from goods.pictures import Fetched, PictureLoader, decode
from goods.product import Product
from goods.streams import in_order, then
from ingest.clock import StageClock
from ingest.journal import Seen
from ingest.known import KnownVectors, work_of
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
        known: Vectors that need no pixels; None where others have looked.
        clock: Told how long it took.
    """

    loader: PictureLoader
    pool: Executor
    encoder: Encoder
    known: KnownVectors | None
    clock: StageClock

    def load(self, planned: Iterable[Sequence[Planned]], depth: int) -> Iterator[Loaded | Refused]:
        """The products in order, with their vector or with their pixels.

        Up to `depth` pictures are on their way; that bounds the memory.
        """
        return in_order(chain.from_iterable(map(self.begin, planned)), depth)

    def begin(self, batch: Sequence[Planned]) -> Iterator[Loaded | Future[Loaded | Refused]]:
        """The same for one batch, each picture begun when its product is asked for."""
        vectors = [None] * len(batch) if self.known is None else self.known.of(batch)
        for item, vector in zip(batch, vectors, strict=True):
            if vector is None or item.picture is None:
                yield self._begun(item)
            else:
                yield Loaded(bare(item.product), item.work, item.payload, item.picture, vector)

    def _begun(self, item: Planned) -> Future[Loaded | Refused]:
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
        image: Vector | torch.Tensor | None = None
        if self.known is not None:
            image = self.known.of_read(item, seen.digest)
        if image is None:
            image = self._pixels(seen.location, fetched.data or b"")
        work = work_of(item, seen.digest)
        return Loaded(bare(item.product), work, item.payload, seen.digest, image, seen)

    def _pixels(self, location: str, data: bytes) -> torch.Tensor:
        image = decode(data, location, self.loader.limits, at_least=self.encoder.image_size)
        return self.encoder.pixels([image])


def bare(product: Product) -> Product:
    """The product without the bytes of its picture: past this stage nobody needs them."""
    return product.with_picture(replace(product.picture, data=None))
