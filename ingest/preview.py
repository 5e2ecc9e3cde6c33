"""What a run would do, without doing it: `goods ingest --dry-run`."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goods.catalog import Catalog
from goods.errors import IndexMissingError
from goods.index import VectorIndex
from goods.index.contract import check_continues
from goods.pictures import PictureLimits, PictureLoader
from ingest.contract import continued, contract_of
from ingest.garbage import only_new_garbage
from ingest.gone import Present
from ingest.journal import Journal
from ingest.ledger import Ledger
from ingest.plan import Planned, Work, plan
from ingest.refused import Refused, taken
from ingest.rows import wanted_rows
from ingest.settings import IngestSettings
from model.encoder import Encoder

SHOWN = 5
"""Refused products that are shown."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would find to do.

    Attributes:
        works: Products by what they need.
        known: Those of them that need a vector which the journal has.
        gone: Products of the index that the catalog has no more.
        refused: Products that would be left out before their picture is loaded, by cause.
        examples: Why, for the first of them.
        wall_s: How long it took to find out.
    """

    works: dict[Work, int]
    known: int
    gone: int
    refused: dict[str, int]
    examples: tuple[str, ...]
    wall_s: float

    @property
    def to_embed(self) -> int:
        """Pictures that would go through the model, unless some of them are the same."""
        new = self.works.get(Work.NEW, 0) + self.works.get(Work.PICTURE, 0)
        return new - self.known

    def to_json(self) -> dict[str, Any]:
        """A plain form for machines."""
        return {
            **{work.value.replace(" ", "_"): self.works.get(work, 0) for work in Work},
            "gone": self.gone,
            "to_embed": self.to_embed,
            "refused": self.refused,
            "wall_s": round(self.wall_s, 3),
        }

    def lines(self) -> Iterator[str]:
        """The same for people."""
        total = sum(self.works.values()) + sum(self.refused.values())
        yield f"{total:,} products; this run would"
        for work, what in _MEANINGS.items():
            yield f"{self.works.get(work, 0):>12,}  {work:<16} {what}"
        yield f"{self.gone:>12,}  {'gone':<16} delete, with --sync"
        yield f"{sum(self.refused.values()):>12,}  {'refused':<16} leave out and explain"
        yield from (f"              {example}" for example in self.examples)
        known = f" ({self.known:,} more are in the journal)" if self.known else ""
        yield f"{self.to_embed:,} pictures to embed{known}; planned in {self.wall_s:.1f} s"


_MEANINGS = {
    Work.NEW: "embed and write",
    Work.PICTURE: "embed and write",
    Work.MOVED: "write: the picture is another file with the same bytes",
    Work.PAYLOAD: "write: price, stock or words are new, the picture is not",
    Work.NONE: "do nothing",
}


def preview(
    catalog: Catalog, index: VectorIndex, encoder: Encoder, settings: IngestSettings
) -> Preview:
    """What `ingest` with these arguments would do; the index and the catalog stay as they are.

    A journal that is there learns which rows and pictures were read; none is made.

    Raises:
        ModelMismatchError: The index holds another model's vectors.
    """
    started = time.perf_counter()
    works: Counter[Work] = Counter()
    refused: list[str] = []
    causes: Counter[str] = Counter()
    known = 0
    catalog = catalog if settings.rebuild else continued(catalog, index)
    served = None if settings.rebuild else _served(index, catalog, encoder)
    present = Present(served.count() if served else 0)
    with (
        only_new_garbage(),
        Journal(_there(settings.journal)) as journal,
        PictureLoader(PictureLimits(allow_private=settings.allow_private)) as loader,
        ThreadPoolExecutor(settings.threads) as pool,
    ):

        def refuse(item: Refused) -> None:
            causes[f"{item.stage}: {item.cause}"] += 1
            refused.extend([item.message][: SHOWN - len(refused)])

        rows = wanted_rows(catalog, settings, present)
        ledger = Ledger(served.read_ledger() if served else b"")
        planned_rows = plan(
            *(rows, catalog.schema, served, journal, ledger, loader, pool), verify=settings.verify
        )
        for batch in planned_rows:
            present.note_found(batch.there)
            planned = list(taken(batch.items, refuse))
            works.update(item.work for item in planned)
            works.update({Work.NONE: batch.unread} if batch.unread else {})
            known += _known(planned, journal, encoder)
        is_all = settings.limit is None and settings.retry is None
        gone = sum(1 for _ in present.missing(served, settings.part)) if served and is_all else 0
    wall_s = time.perf_counter() - started
    return Preview(dict(works), known, gone, dict(causes), tuple(refused), wall_s)


def _there(journal: Path | None) -> Path | None:
    """The journal's file, if there is one; without it, a temporary one does."""
    return journal if journal is not None and journal.exists() else None


def _served(index: VectorIndex, catalog: Catalog, encoder: Encoder) -> VectorIndex | None:
    """The index, if there is one that the run would go on with."""
    try:
        existing = index.contract
    except IndexMissingError:
        return None
    check_continues(index.info().address, existing, contract_of(catalog, encoder))
    return index


def _known(planned: list[Planned], journal: Journal, encoder: Encoder) -> int:
    needed = [p.picture for p in planned if p.work in (Work.NEW, Work.PICTURE) and p.picture]
    have = journal.vectors(encoder.made_by, needed)
    return sum(digest in have for digest in needed)
