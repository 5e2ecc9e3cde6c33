"""What a run has to do for each product, before any of it is done.

A fingerprint is two digests: of the picture's bytes, and of everything else. The model stamp needs
no third, since all vectors of an index have the same one. The index keeps them in every point.

Most rows of a night are those of the night before, and are not even read (`ingest.unread`).

Memory: one batch of products and what the index has of them, however large the catalog is.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from goods.catalog import Entry, RefusedRow
from goods.index import Record, Vector, VectorIndex
from goods.index.contract import Fingerprint, fingerprint_of, payload_of
from goods.pictures import PictureLoader
from goods.product import Product
from goods.schema import CatalogSchema
from goods.streams import batches
from ingest.journal import Journal
from ingest.recognise import Recognised, digest_of, recognised
from ingest.refused import Refused, for_its_row
from ingest.unread import Unread, files_of, is_as_written

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


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that were compared at a time, in order.

    Attributes:
        items: What those that were read need, or why they are left out.
        unread: How many more are unchanged, which was known without reading them.
        there: The points that the index has, of all of them.
    """

    items: list[Planned | Refused]
    unread: int
    there: Collection[UUID]

    def __len__(self) -> int:
        return len(self.items) + self.unread


def plan(
    entries: Iterable[Entry],
    schema: CatalogSchema,
    index: VectorIndex | None,
    journal: Journal,
    loader: PictureLoader,
    pool: Executor,
    *,
    verify: bool = False,
) -> Iterator[Batch]:
    """What each row of a catalog needs, in order and in batches: those compared at a time.

    Args:
        entries: The rows.
        schema: What their columns are for.
        index: What was written before; None when there is no index yet.
        journal: What was read before.
        loader: Reads pictures.
        pool: Its threads.
        verify: Look at every picture again, even where nothing says that it changed.
    """
    unread = Unread(journal, schema)
    for batch in batches(entries, BATCH):
        there = _there(index, [entry.point for entry in batch])
        read = _read(batch, {} if verify else there, unread, journal, loader)
        products = [row for row in read if isinstance(row, Product)]
        found = iter(recognised(products, there, journal, loader, pool, verify=verify))
        planned = [
            _compared(r, there) if isinstance(r, Recognised) else r
            for r in (next(found) if isinstance(row, Product) else row for row in read)
        ]
        kept = planned if index is None else _with_vectors(planned, index)
        yield Batch(kept, len(batch) - len(read), there.keys())
    unread.keep()


def _read(
    batch: Sequence[Entry],
    there: Mapping[UUID, Record],
    unread: Unread,
    journal: Journal,
    loader: PictureLoader,
) -> list[Product | Refused]:
    """The products of the rows that are not as the index has them; `there` is what it has."""
    keys = [unread.key(entry) for entry in batch]
    payloads = unread.payloads(keys)
    seen = journal.seen(files_of(there.values()))
    read: list[Product | Refused] = []
    for entry, key in zip(batch, keys, strict=True):
        record, payload = there.get(entry.point), payloads.get(key or b"")
        if record is not None and is_as_written(record, payload, seen, loader):
            if refused := entry.repeated():
                read.append(for_its_row(refused))
            continue
        row = entry.product()
        if isinstance(row, RefusedRow):
            read.append(for_its_row(row))
            continue
        read.append(row)
        if payload is None:
            unread.remember(key, _payload_digest(row))
    return read


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
