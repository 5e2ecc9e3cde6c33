"""Catalog to index: plan → load → embed → write → report.

Three threads, each a chain of generators that pulls from the one before it through a short queue:

    catalog, plan, load     decides what to do, and has pictures fetched and decoded in a pool
    embed, journal          keeps the device busy, and what it made on the disk
    write                   to the index; the caller's own thread

so that memory is bounded by the look-ahead however large the catalog is, and products keep their
order. What was embedded is in the journal before it goes to the index, and a batch is durable there
before it is counted; a run that was killed is finished by running it again.

Loading and embedding may be left to a crew (`ingest.scatter`): processes, or a cluster.
"""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat

from goods.catalog import Catalog
from goods.index import VectorIndex
from goods.pictures import PictureLimits, PictureLoader
from goods.streams import ahead, batches
from ingest.batch_size import BatchSize
from ingest.clock import StageClock
from ingest.contract import continued, contract_of
from ingest.crew import crew_for
from ingest.embed import Embedding
from ingest.garbage import only_new_garbage
from ingest.gone import Present, delete_gone
from ingest.journal import Journal
from ingest.known import KnownVectors
from ingest.ledger import Ledger
from ingest.load import Loaded, Loading
from ingest.plan import Batch, Planned, Work, plan
from ingest.rebuild import check_successor, in_service
from ingest.refused import RefusedLog
from ingest.report import IngestReport
from ingest.rows import wanted_rows
from ingest.scatter import Scattering
from ingest.settings import IngestSettings
from ingest.tally import Tally, Told
from ingest.write import Writing, journalled
from model.encoder import Encoder

_CHUNK = 16  # loaded pictures handed on at a time: a queue's hand-over costs as much as a product
_CHUNKS_AHEAD = 16
_BATCHES_AHEAD = 2


def ingest(
    catalog: Catalog,
    index: VectorIndex,
    encoder: Encoder,
    settings: IngestSettings,
    tell: Told | None = None,
) -> IngestReport:
    """Bring the index up to date with the catalog.

    Args:
        catalog: What the shop has.
        index: Where its vectors go.
        encoder: The model that makes them.
        settings: How to run.
        tell: Told how far the run has come, after each batch that is durable.

    Raises:
        ModelMismatchError: The index holds another model's vectors.
        SchemaError: A field of the index is another in the catalog, or gone.
        IndexStoreError: The index fails; what was written before stays.
        GoodsError: `sync` would delete too much, a rebuild has lost too much, or a file cannot be
            written.
    """
    started = time.perf_counter()
    size = BatchSize(settings.batch_size)
    with (
        only_new_garbage(),
        Journal(settings.journal, settings.journal_bytes) as journal,
        RefusedLog(settings.refused) as log,
        ThreadPoolExecutor(settings.threads) as pool,
        PictureLoader(PictureLimits(allow_private=settings.allow_private)) as loader,
        crew_for(settings, encoder, loader.limits) as crew,
    ):
        workers = crew.workers if crew else 1
        clock = StageClock(load=settings.threads * workers, embed=workers, upsert=index.streams)
        tally = Tally(log, clock, tell)
        replaced = in_service(index) if settings.rebuild else None
        catalog = catalog if settings.rebuild else continued(catalog, index)
        index.create(contract_of(catalog, encoder), rebuild=settings.rebuild)
        present = Present(index.count()) if settings.sync else None
        rows = wanted_rows(catalog, settings, present)
        ledger = Ledger(index.read_ledger())
        planned = plan(
            *(rows, catalog.schema, index, journal, ledger, loader, pool), verify=settings.verify
        )
        changed = _changed(clock.making("plan", planned), tally, present)
        known = KnownVectors(journal, index, encoder.made_by)
        if crew is None:
            loading = Loading(loader, pool, encoder, known, clock)
            loaded = _handed_on(tally.good(loading.load(changed, settings.look_ahead)))
            vectors = Embedding(encoder, size, 2 * settings.look_ahead, clock).embed(loaded)
        else:
            vectors = Scattering(crew, known, size, clock, tally.refuse).embed(changed)
        kept = journalled(vectors, journal, encoder.made_by, clock)
        for batch in Writing(index, clock).write(ahead(kept, _BATCHES_AHEAD)):
            for refused in batch.refused:
                tally.refuse(refused)
            ledger.note_written(item.product.point_id for item in batch.products)
            tally.count(
                (item.work for item in batch.products),
                embedded=sum(item.is_fresh for item in batch.products),
                written=len(batch.products),
            )
        deleted = [] if present is None else delete_gone(index, present, settings)
        if replaced is not None:
            check_successor(index, replaced, tally, log.partial, settings)
        with clock.measure("seal"):
            index.seal()
        ledger.forget(deleted)
        ledger.keep(index)
        journal.trim()
        info = index.info()
        return IngestReport(
            works=tally.works,
            embedded=tally.embedded,
            written=tally.written,
            deleted=len(deleted),
            refused=tally.refused,
            refused_file=settings.refused,
            stages=clock.rates(),
            batch_size=size.size,
            wall_s=time.perf_counter() - started,
            points=index.count(),
            is_out_of_tune=info.is_out_of_tune or bool(replaced and replaced.tuned is not None),
        )


def _changed(
    planned: Iterable[Batch], tally: Tally, present: Present | None
) -> Iterator[list[Planned]]:
    """The products with something to do; the others are counted here and done with."""
    for batch in planned:
        if present is not None:
            present.note_found(batch.there)
        good = list(tally.good(batch.items))
        if present is not None:
            present.note_new(item.product.point_id for item in good if item.work is Work.NEW)
        tally.count(repeat(Work.NONE, batch.unread))
        tally.count(item.work for item in good if item.work is Work.NONE)
        yield [item for item in good if item.work is not Work.NONE]


def _handed_on(loaded: Iterator[Loaded]) -> Iterator[Loaded]:
    """The same, made in a thread of its own."""
    return chain.from_iterable(ahead(batches(loaded, _CHUNK), _CHUNKS_AHEAD))
