"""What a run has to do for each product: compare its fingerprint with the index's.

A fingerprint is two digests. The picture's covers its bytes, or for a picture on the network its
URL, since reading the bytes would cost a download. The payload's covers everything else. The model
stamp needs no third: all vectors of an index have the same one.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from goods.index import Record, Vector, VectorIndex
from goods.index.contract import Fingerprint, fingerprint_of, payload_of
from goods.product import Picture, Product
from goods.streams import batches

BATCH = 256
"""Products compared with one request to the index."""


class Work(StrEnum):
    """What a product needs."""

    NEW = "new"  # embed and write
    PICTURE = "picture changed"  # embed and write
    PAYLOAD = "payload changed"  # write with the vector that is there
    NONE = "unchanged"


@dataclass(frozen=True, slots=True)
class Fingerprinted:
    """A product and the digests of what it is now; its picture's bytes if they were read."""

    product: Product
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Planned:
    """A product and what it needs; `vector` is the one to keep when only the payload changed."""

    product: Product
    fingerprint: Fingerprint
    work: Work
    vector: Vector | None = None


def fingerprint(product: Product, read: Callable[[Picture], bytes]) -> Fingerprinted:
    """The product with the digests of its picture and payload; local pictures are kept in it.

    Raises:
        PictureError: The picture cannot be read.
    """
    picture = product.picture
    if not picture.is_remote:
        picture = Picture(picture.location, read(picture))
    seen = picture.data if picture.data is not None else f"url {picture.location}".encode()
    payload = payload_of(product, Fingerprint("", ""))
    text = json.dumps(payload, sort_keys=True, ensure_ascii=True)
    product = product.with_picture(picture)
    return Fingerprinted(product, Fingerprint(_digest(seen), _digest(text.encode())))


def plan(products: Iterable[Fingerprinted], index: VectorIndex) -> Iterator[Planned]:
    """What each product needs, in order, comparing `BATCH` of them at a time."""
    for batch in batches(products, BATCH):
        ids = [item.product.point_id for item in batch]
        there = {record.id: record for record in index.fetch(ids)}
        works = [_compare(p.fingerprint, there.get(i)) for p, i in zip(batch, ids, strict=True)]
        kept = [i for i, work in zip(ids, works, strict=True) if work is Work.PAYLOAD]
        records = index.fetch(kept, with_vectors=True) if kept else []
        vectors = {record.id: record.vector for record in records}
        for item, i, work in zip(batch, ids, works, strict=True):
            yield Planned(item.product, item.fingerprint, work, vectors.get(i))


def _compare(now: Fingerprint, record: Record | None) -> Work:
    if record is None:
        return Work.NEW
    then = fingerprint_of(record.payload)
    if then.picture != now.picture:
        return Work.PICTURE
    return Work.NONE if then == now else Work.PAYLOAD


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
