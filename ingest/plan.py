"""What a run has to do for each product, before any of it is done.

A fingerprint is two digests: of the picture's bytes, and of everything else. The model stamp needs
no third, since all vectors of an index have the same one. The index keeps them in every point.

Memory: one batch of products and what the index has of them, however large the catalog is.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from goods.index import Record, Vector, VectorIndex
from goods.index.contract import Fingerprint, fingerprint_of, payload_of
from goods.pictures import PictureLoader
from goods.product import Product
from goods.streams import batches
from ingest.journal import Journal
from ingest.recognise import Recognised, digest_of, recognised
from ingest.refused import Refused

BATCH = 256
"""Products compared with one request to the index."""


class Work(StrEnum):
    """What a product needs."""

    NEW = "new"  # embed and write
    PICTURE = "picture changed"  # embed and write
    MOVED = "moved"  # the same picture elsewhere: write with the vector that is there
    PAYLOAD = "payload changed"  # write with the vector that is there
    NONE = "unchanged"

    @property
    def keeps_vector(self) -> bool:
        """Whether it is written with the vector that is there."""
        return self in (Work.MOVED, Work.PAYLOAD)


@dataclass(frozen=True, slots=True)
class Planned:
    """A product and what it needs.

    Attributes:
        product: The product; its picture with the bytes, where they were read to compare them.
        work: What to do. A picture under a new URL counts as changed as long as it is not loaded.
        payload: Digest of the payload.
        picture: Digest of the picture, where it is known without loading it.
        before: Digest of the picture that the index has.
        vector: The one to keep, when it is there.
    """

    product: Product
    work: Work
    payload: str
    picture: str | None
    before: str | None = None
    vector: Vector | None = None


def plan(
    products: Iterable[Product],
    index: VectorIndex | None,
    journal: Journal,
    loader: PictureLoader,
    pool: Executor,
    *,
    verify: bool = False,
) -> Iterator[list[Planned | Refused]]:
    """What each product needs, in order and in batches: those that are compared at a time.

    Args:
        products: What the catalog has.
        index: What was written before; None when there is no index yet.
        journal: What was read before.
        loader: Reads pictures.
        pool: Its threads.
        verify: Look at every picture again, even where nothing says that it changed.
    """
    for batch in batches(products, BATCH):
        there = _there(index, [product.point_id for product in batch])
        found = recognised(batch, there, journal, loader, pool, verify=verify)
        planned = [r if isinstance(r, Refused) else _compared(r, there) for r in found]
        yield planned if index is None else _with_vectors(planned, index)


def _there(index: VectorIndex | None, ids: Sequence[UUID]) -> dict[UUID, Record]:
    records = [] if index is None else index.fetch(ids, keys=("goods", "picture"))
    return {record.id: record for record in records}


def _compared(now: Recognised, there: dict[UUID, Record]) -> Planned:
    product = now.product
    payload = _payload_digest(product)
    record = there.get(product.point_id)
    if record is None:
        return Planned(product, Work.NEW, payload, now.digest)
    then = fingerprint_of(record.payload)
    if now.digest != then.picture:
        work = Work.PICTURE
    elif payload == then.payload:
        work = Work.NONE
    elif product.picture.location != record.payload["picture"]:
        work = Work.MOVED
    else:
        work = Work.PAYLOAD
    return Planned(product, work, payload, now.digest, then.picture)


def _payload_digest(product: Product) -> str:
    payload = payload_of(product, Fingerprint("", ""))
    return digest_of(json.dumps(payload, sort_keys=True, ensure_ascii=True).encode())


def _with_vectors(
    planned: Sequence[Planned | Refused], index: VectorIndex
) -> list[Planned | Refused]:
    """The same, with the vectors that are to be kept."""
    kept = [
        item.product.point_id
        for item in planned
        if isinstance(item, Planned) and item.work.keeps_vector
    ]
    if not kept:
        return list(planned)
    vectors = {record.id: record.vector for record in index.fetch(kept, with_vectors=True, keys=())}
    return [
        replace(item, vector=vectors[item.product.point_id])
        if isinstance(item, Planned) and item.work.keeps_vector
        else item
        for item in planned
    ]
