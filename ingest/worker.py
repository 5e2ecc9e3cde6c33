"""Catalog to index: read, skip what is unchanged, load pictures, embed, upsert, report.

Every stage pulls from the one before it, so that memory is bounded by the look-ahead however large
the catalog is, and products keep their order. A batch is durable before it is counted as written;
a run that was killed is finished by running it again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from goods.catalog import Catalog, RefusedRow
from goods.errors import GoodsError
from goods.index import VectorIndex
from goods.index.contract import Contract
from goods.pictures import PictureLimits, PictureLoader
from goods.product import Product, point_id
from goods.streams import batches
from ingest.plan import BATCH, Planned, Work, plan
from ingest.refused import RefusedLog
from ingest.report import IngestReport, StageClock
from ingest.stages import (
    delete_gone,
    embedded,
    fingerprinted,
    good_rows,
    loaded,
    repriced,
)
from model.encoder import Encoder


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How to run.

    Attributes:
        batch_size: Pictures embedded, and points written, at a time.
        threads: Threads that read, decode and resize pictures.
        look_ahead: Products whose pictures may wait to be compared; bounds the memory.
        sync: Delete what the catalog no longer has.
        max_gone: Share of the index, 0 to 1, beyond which `sync` deletes nothing and says so.
        rebuild: Embed everything anew beside the old index, then replace it in one step.
        limit: Take only the first so many rows.
        allow_private: Hosts that pictures may come from though they are not public.
    """

    batch_size: int = 64
    threads: int = 4
    look_ahead: int = 256
    sync: bool = False
    max_gone: float = 0.5
    rebuild: bool = False
    limit: int | None = None
    allow_private: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("batch_size", "threads", "look_ahead"):
            if getattr(self, name) < 1:
                raise GoodsError(f"{name} is {getattr(self, name)}; it has to be at least 1")
        if self.sync and self.limit is not None:
            raise GoodsError(
                "sync with a limit would delete every product after the limit; leave out one"
            )


def ingest(
    catalog: Catalog,
    index: VectorIndex,
    encoder: Encoder,
    settings: IngestSettings,
    refused_file: Path,
    progress: Callable[[int], None] | None = None,
) -> IngestReport:
    """Bring the index up to date with the catalog.

    Args:
        catalog: What the shop has.
        index: Where its vectors go.
        encoder: The model that makes them.
        settings: How to run.
        refused_file: JSON Lines file for products that cannot be taken.
        progress: Told how many products are dealt with so far, after each batch is durable.

    Raises:
        ModelMismatchError: The index holds another model's vectors.
        IndexStoreError: The index fails; what was written before stays.
        GoodsError: `sync` would delete too much.
    """
    started, clock = time.perf_counter(), StageClock()
    counts: Counter[Work] = Counter()
    embedded_count = written_count = 0
    seen: set[UUID] = set()
    contract = Contract(encoder.dimension, _whereabouts(encoder), encoder.stamp, catalog.schema)
    with (
        ThreadPoolExecutor(settings.threads) as pool,
        PictureLoader(PictureLimits(allow_private=settings.allow_private)) as loader,
        RefusedLog(refused_file) as log,
    ):

        def tell() -> None:
            if progress:
                progress(counts.total() + log.count)

        index.create(contract, rebuild=settings.rebuild)
        rows = islice(catalog.products(), settings.limit)
        products = good_rows(_noted(rows, seen) if settings.sync else rows, log)
        compared = plan(fingerprinted(products, loader, log, pool, settings.look_ahead), index)
        changed = _changed(compared, counts, tell)
        ready = loaded(changed, loader, encoder, log, pool, 2 * settings.batch_size)
        for batch in clock.waiting("load", batches(ready, settings.batch_size)):
            fresh = [item for item in batch if item.pixels is not None]
            with clock.measure("embed", len(fresh)):
                points = embedded(fresh, encoder)
            embedded_count += len(points)
            points += repriced(batch)
            with clock.measure("upsert", len(points)):
                index.upsert(points)
            written_count += len(points)
            counts.update(item.planned.work for item in batch)
            tell()
        clock.count("load", counts.total())
        deleted = delete_gone(index, seen, settings.max_gone) if settings.sync else 0
        with clock.measure("seal"):
            index.seal()
        return IngestReport(
            counts=dict(counts),
            embedded=embedded_count,
            written=written_count,
            deleted=deleted,
            refused=dict(log.by_cause),
            refused_file=refused_file,
            stages=clock.rates(),
            wall_s=time.perf_counter() - started,
            points=index.count(),
        )


def _whereabouts(encoder: Encoder) -> str:
    """How a search finds the model again, whatever folder it runs in."""
    folder = Path(encoder.name)
    return str(folder.absolute()) if folder.is_dir() else encoder.name


def _changed(
    planned: Iterable[Planned], counts: Counter[Work], tell: Callable[[], None]
) -> Iterator[Planned]:
    """The products with something to do; the others are counted here and done with."""
    for item in planned:
        if item.work is not Work.NONE:
            yield item
            continue
        counts[Work.NONE] += 1
        if counts[Work.NONE] % BATCH == 0:
            tell()


def _noted(rows: Iterable[Product | RefusedRow], seen: set[UUID]) -> Iterator[Product | RefusedRow]:
    """The same rows, their ids noted: what the catalog has, good or not, is not gone."""
    for row in rows:
        product_id = row.product_id if isinstance(row, RefusedRow) else row.id
        if product_id is not None:
            seen.add(point_id(product_id))
        yield row
