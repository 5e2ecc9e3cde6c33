"""What an ingest run did: counts, seconds per stage, and the sentences that say so."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ingest.plan import Work

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageRate:
    """How much one stage handled, and how long it was busy with it."""

    stage: str
    products: int
    busy_s: float

    @property
    def per_s(self) -> float:
        """Products per second while busy."""
        return self.products / self.busy_s if self.busy_s else 0.0


@dataclass(slots=True)
class _Busy:
    """What one stage has done so far."""

    products: int = 0
    busy_s: float = 0.0


class StageClock:
    """Adds up how long each stage keeps the run waiting."""

    def __init__(self) -> None:
        self._stages: dict[str, _Busy] = {}

    @contextmanager
    def measure(self, stage: str, products: int = 0) -> Iterator[None]:
        """Count what happens inside as this stage's work on so many products."""
        busy = self._stages.setdefault(stage, _Busy())
        started = time.perf_counter()
        try:
            yield
        finally:
            busy.busy_s += time.perf_counter() - started
            busy.products += products

    def waiting(self, stage: str, batches: Iterable[T]) -> Iterator[T]:
        """The same batches, each wait for the next one counted as this stage's work."""
        iterator = iter(batches)
        while True:
            with self.measure(stage):
                batch = next(iterator, None)
            if batch is None:
                return
            yield batch

    def count(self, stage: str, products: int) -> None:
        """Say how many products a stage has handled, where `measure` could not know it."""
        self._stages[stage].products += products

    def rates(self) -> tuple[StageRate, ...]:
        """The stages in the order in which they first ran."""
        return tuple(
            StageRate(stage, busy.products, busy.busy_s) for stage, busy in self._stages.items()
        )


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome of one run.

    Attributes:
        counts: Products by what they needed.
        embedded: Pictures that went through the model.
        written: Points that the index has confirmed.
        deleted: Points removed because the catalog no longer has them.
        refused: Products by the reason why they were left out.
        refused_file: Where each of them is explained.
        stages: Seconds and rates per stage.
        wall_s: Duration of the run.
        points: Products in the index afterwards.
    """

    counts: dict[Work, int]
    embedded: int
    written: int
    deleted: int
    refused: dict[str, int]
    refused_file: Path
    stages: tuple[StageRate, ...]
    wall_s: float
    points: int

    @property
    def products(self) -> int:
        """Products that the catalog offered, good or not."""
        return sum(self.counts.values()) + self.refused_total

    @property
    def refused_total(self) -> int:
        """Products left out."""
        return sum(self.refused.values())

    @property
    def refused_share(self) -> float:
        """Part of the catalog that was left out, 0 to 1."""
        return self.refused_total / self.products if self.products else 0.0

    def to_json(self) -> dict[str, Any]:
        """A plain form for machines."""
        return {
            "products": self.products,
            **{work.value.replace(" ", "_"): self.counts.get(work, 0) for work in Work},
            "embedded": self.embedded,
            "written": self.written,
            "deleted": self.deleted,
            "refused": self.refused,
            "refused_file": str(self.refused_file),
            "points": self.points,
            "wall_s": round(self.wall_s, 3),
            "stages": {
                s.stage: {
                    "products": s.products,
                    "busy_s": round(s.busy_s, 3),
                    "per_s": round(s.per_s, 1),
                }
                for s in self.stages
            },
        }

    def lines(self) -> Iterator[str]:
        """The report for people."""
        work = ", ".join(f"{self.counts.get(w, 0):,} {w}" for w in Work)
        yield f"{self.products:,} products: {work}, {self.refused_total:,} refused"
        for cause, count in sorted(self.refused.items(), key=lambda item: -item[1]):
            yield f"  refused {count:,} x {cause} (see {self.refused_file})"
        for s in self.stages:
            yield f"  {s.stage:<8}{s.products:>9,} in {s.busy_s:7.1f} s {s.per_s:>9,.0f}/s"
        gone = f", {self.deleted:,} deleted" if self.deleted else ""
        yield (
            f"{self.embedded:,} embedded, {self.written:,} written{gone} in {self.wall_s:.1f} s; "
            f"the index holds {self.points:,} products"
        )
