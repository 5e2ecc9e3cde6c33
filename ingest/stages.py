"""The stages between a catalog and an index, each a function over what the one before it yields."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import torch

from goods.catalog import RefusedRow
from goods.errors import GoodsError, PictureError
from goods.index import Point, Vector, VectorIndex
from goods.index.contract import payload_of
from goods.pictures import PictureLoader
from goods.product import Product
from goods.streams import batches, map_ahead
from ingest.plan import Fingerprinted, Planned, Work, fingerprint
from ingest.refused import Refused, RefusedLog
from model.encoder import Encoder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A planned product, with its pixels (1, ...) when it has to be embedded."""

    planned: Planned
    pixels: torch.Tensor | None


def good_rows(rows: Iterable[Product | RefusedRow], log: RefusedLog) -> Iterator[Product]:
    """The catalog's good rows; the others go to the log."""
    for row in rows:
        if isinstance(row, RefusedRow):
            log.add(Refused(row.row, row.product_id, "catalog", "row", row.reason))
        else:
            yield row


def fingerprinted(
    products: Iterable[Product], loader: PictureLoader, log: RefusedLog, pool: Executor, depth: int
) -> Iterator[Fingerprinted]:
    """The products whose pictures can be read, with their digests."""

    def work(product: Product) -> Fingerprinted | Refused:
        try:
            return fingerprint(product, loader.read)
        except PictureError as error:
            return _refuse(product, error)

    return _without_refused(map_ahead(work, products, pool, depth), log)


def loaded(
    planned: Iterable[Planned],
    loader: PictureLoader,
    encoder: Encoder,
    log: RefusedLog,
    pool: Executor,
    depth: int,
) -> Iterator[Loaded]:
    """The products, decoded and resized where they have to be embedded."""

    def work(item: Planned) -> Loaded | Refused:
        if item.work is Work.PAYLOAD:
            return Loaded(item, None)
        try:
            image = loader.load(item.product.picture, at_least=encoder.image_size)
        except PictureError as error:
            return _refuse(item.product, error)
        return Loaded(item, encoder.pixels([image]))

    return _without_refused(map_ahead(work, planned, pool, depth), log)


def embedded(batch: Sequence[Loaded], encoder: Encoder) -> list[Point]:
    """Points for products with pixels, embedded in one go."""
    if not batch:
        return []
    vectors = encoder.embed_pixels(torch.cat([i.pixels for i in batch if i.pixels is not None]))
    return [_point(item.planned, vector) for item, vector in zip(batch, vectors, strict=True)]


def repriced(batch: Sequence[Loaded]) -> list[Point]:
    """Points for the products of a batch whose payload alone changed, with the vectors they had."""
    return [
        _point(item.planned, item.planned.vector)
        for item in batch
        if item.planned.vector is not None
    ]


def delete_gone(index: VectorIndex, seen: set[UUID], max_gone: float) -> int:
    """Delete the points that were not seen in the catalog; how many they were.

    Raises:
        GoodsError: They are more than the share `max_gone` of the index; none was deleted.
    """
    gone = [record.id for record in index.scan() if record.id not in seen]
    total = index.count()
    if len(gone) > max_gone * total:
        raise GoodsError(
            f"{len(gone):,} of {total:,} products in the index are not in this catalog; "
            "nothing was deleted. Is this the whole catalog? If so, raise --max-gone"
        )
    for batch in batches(gone, 1000):
        index.delete(batch)
    return len(gone)


def _without_refused(items: Iterable[T | Refused], log: RefusedLog) -> Iterator[T]:
    for item in items:
        if isinstance(item, Refused):
            log.add(item)
        else:
            yield item


def _refuse(product: Product, error: PictureError) -> Refused:
    return Refused(product.row, product.id, "picture", error.fault, str(error))


def _point(planned: Planned, vector: Vector) -> Point:
    product = planned.product
    return Point(product.point_id, vector, payload_of(product, planned.fingerprint))
