"""What a run has to do for each product, before any of it is done.

A fingerprint is two digests: of the picture's bytes, and of everything else. The model stamp needs
no third, since all vectors of an index have the same one. The index keeps them in every point.

Most rows of a night are those of the night before: these are not even read (`ingest.unread`), nor
looked up in the index where it has a ledger (`ingest.ledger`).

Memory: one batch of products and what the index has of them, however large the catalog is.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from goods.catalog import Entry, RefusedRow
from goods.index import Record, Vector, VectorIndex
from goods.index.contract import Fingerprint, fingerprint_of, payload_of
from goods.pictures import PictureLoader
from goods.product import Product
from goods.schema import CatalogSchema
from goods.streams import batches
from ingest.journal import Journal
from ingest.ledger import Ledger
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
    ledger: Ledger,
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
        ledger: What the index was written from, and will be by this run.
        loader: Reads pictures.
        pool: Its threads.
        verify: Look at every picture again, even where nothing says that it changed.
    """
    unread = Unread(journal, schema)
    for batch in batches(entries, BATCH):
        rows = _rows(batch, unread, ledger, loader, verify=verify)
        there = _there(index, [row.point for row in rows if not row.is_as_written])
        read = _read(rows, {} if verify else there, unread, ledger, journal, loader)
        products = [row for row in read if isinstance(row, Product)]
        found = iter(recognised(products, there, journal, loader, pool, verify=verify))
        planned = [
            _compared(r, there) if isinstance(r, Recognised) else r
            for r in (next(found) if isinstance(row, Product) else row for row in read)
        ]
        _tell(ledger, planned, {row.entry.row: row.state for row in rows})
        kept = planned if index is None else _with_vectors(planned, index)
        known = [row.point for row in rows if row.is_as_written]
        yield Batch(kept, len(batch) - len(read), [*known, *there])
    unread.keep()


class _Row(NamedTuple):
    """A row, what can be said of it unread, and whether that is what the ledger says."""

    entry: Entry
    point: UUID
    key: bytes | None
    state: bytes | None
    is_as_written: bool


def _rows(
    batch: Sequence[Entry], unread: Unread, ledger: Ledger, loader: PictureLoader, *, verify: bool
) -> list[_Row]:
    told = [unread.told(entry) for entry in batch]
    points = [entry.point for entry in batch]
    states = [each.state(loader) for each in told]
    same = [False] * len(batch) if verify else ledger.has(points, states)
    keys = [each.key for each in told]
    return list(map(_Row, batch, points, keys, states, same))


def _read(
    rows: Sequence[_Row],
    there: Mapping[UUID, Record],
    unread: Unread,
    ledger: Ledger,
    journal: Journal,
    loader: PictureLoader,
) -> list[Product | Refused]:
    """The products of the rows that are not as the index has them; `there` is what it has."""
    payloads = unread.payloads(row.key for row in rows if not row.is_as_written)
    seen = journal.seen(files_of(there.values()))
    read: list[Product | Refused] = []
    for entry, point, key, state, is_same in rows:
        record, payload = there.get(point), payloads.get(key or b"")
        is_found = record is not None and is_as_written(record, payload, seen, loader)
        if is_found:
            ledger.note(point, state)
        if is_same or is_found:
            if refused := entry.repeated():
                read.append(for_its_row(refused))
            continue
        product = entry.product()
        if isinstance(product, RefusedRow):
            read.append(for_its_row(product))
            continue
        read.append(product)
        if payload is None:
            unread.remember(key, _payload_digest(product))
    return read


def _tell(
    ledger: Ledger, planned: Iterable[Planned | Refused], states: Mapping[int, bytes | None]
) -> None:
    """What was found to be unchanged after all, and what will be written; states by row."""
    for item in planned:
        if isinstance(item, Planned):
            tell = ledger.note if item.work is Work.NONE else ledger.expect
            tell(item.product.point_id, states[item.product.row])


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
    """The same, with the vectors that are to be kept; without one where another run deleted it."""
    kept = [
        item.product.point_id
        for item in planned
        if isinstance(item, Planned) and item.work.keeps_vector
    ]
    if not kept:
        return list(planned)
    vectors = {record.id: record.vector for record in index.fetch(kept, with_vectors=True, keys=())}
    return [
        replace(item, vector=vectors.get(item.product.point_id))
        if isinstance(item, Planned) and item.work.keeps_vector
        else item
        for item in planned
    ]
