"""What an ingest run did: counts, seconds per stage, and the sentences that say so."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goods.errors import GoodsError
from ingest.clock import StageRate, bottleneck
from ingest.plan import Work
from model.backends.agreement import Agreement


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome of one run.

    Attributes:
        works: Products by what they needed.
        embedded: Pictures that went through the model.
        written: Points that the index has confirmed.
        deleted: Points removed because the catalog no longer has them.
        refused: Products by the reason why they were left out.
        refused_file: Where each of them is explained.
        stages: Seconds and rates per stage.
        batch_size: Pictures that went through the model at a time, in the end.
        wall_s: Duration of the run.
        points: Products in the index afterwards.
        is_out_of_tune: Whether `goods tune` should measure it anew.
        agreement: How far the backend agreed with torch, where one was needed.
    """

    works: dict[Work, int]
    embedded: int
    written: int
    deleted: int
    refused: dict[str, int]
    refused_file: Path
    stages: tuple[StageRate, ...]
    batch_size: int
    wall_s: float
    points: int
    is_out_of_tune: bool = False
    agreement: Agreement | None = None

    @property
    def products(self) -> int:
        """Products that the catalog offered, good or not."""
        return sum(self.works.values()) + self.refused_total

    @property
    def refused_total(self) -> int:
        """Products left out."""
        return sum(self.refused.values())

    @property
    def refused_share(self) -> float:
        """Part of the catalog that was left out, 0 to 1."""
        return self.refused_total / self.products if self.products else 0.0

    @property
    def bottleneck(self) -> str:
        """The stage that the others waited for."""
        return bottleneck(self.stages, self.wall_s)

    def to_json(self) -> dict[str, Any]:
        """A plain form for machines."""
        return {
            "products": self.products,
            **{work.value.replace(" ", "_"): self.works.get(work, 0) for work in Work},
            "embedded": self.embedded,
            "written": self.written,
            "deleted": self.deleted,
            "refused": self.refused,
            "refused_file": str(self.refused_file),
            "points": self.points,
            "out_of_tune": self.is_out_of_tune,
            "wall_s": round(self.wall_s, 3),
            "batch_size": self.batch_size,
            "agreement": self.agreement.to_json() if self.agreement else None,
            "bottleneck": self.bottleneck,
            "stages": {
                s.stage: {
                    "products": s.products,
                    "busy_s": round(s.busy_s, 3),
                    "busy_share": round(s.share(self.wall_s), 3),
                    "per_s": round(s.per_s, 1),
                }
                for s in self.stages
            },
        }

    def lines(self) -> Iterator[str]:
        """The report for people."""
        work = ", ".join(f"{self.works.get(w, 0):,} {w}" for w in Work)
        yield f"{self.products:,} products: {work}, {self.refused_total:,} refused"
        for cause, count in sorted(self.refused.items(), key=lambda item: -item[1]):
            yield f"  refused {count:,} x {cause} (see {self.refused_file})"
        for s in self.stages:
            rate = f"{s.products:>9,} at {s.per_s:>9,.0f}/s, " if s.products else " " * 25
            yield f"  {s.stage:<8}{rate}busy {s.share(self.wall_s):4.0%} of the time"
        gone = f", {self.deleted:,} deleted" if self.deleted else ""
        yield (
            f"{self.embedded:,} embedded, {self.written:,} written{gone} in {self.wall_s:.1f} s; "
            f"the index holds {self.points:,} products"
        )
        if self.is_out_of_tune:
            yield "goods tune measures how to search it fast and well: run it on this index"


def save_report(report: IngestReport, path: Path) -> None:
    """Write the report as JSON.

    Raises:
        GoodsError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report.to_json(), indent=2) + "\n", "utf-8")
    except OSError as error:
        raise GoodsError(
            f"{path} cannot be written ({error.strerror}); name another file with --report"
        ) from error
