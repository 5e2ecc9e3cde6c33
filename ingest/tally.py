"""How far a run has come: what was found to do, what was done, what was refused."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from ingest.clock import StageClock, StageRate, bottleneck
from ingest.plan import Work
from ingest.refused import Refused, RefusedLog, taken

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """Numbers of products, so far.

    Attributes:
        done: Dealt with: unchanged, written or refused.
        refused: Left out.
        embedded: Pictures that went through the model.
        written: Points that the index has confirmed.
        stages: How busy the stages were.
        elapsed_s: Since the run began.
    """

    done: int
    refused: int
    embedded: int
    written: int
    stages: tuple[StageRate, ...]
    elapsed_s: float

    @property
    def bottleneck(self) -> str:
        """The stage that the others wait for."""
        return bottleneck(self.stages, self.elapsed_s)


Told = Callable[[Standing], None]


class Tally:
    """Counts, and tells who listens; safe to use from several threads.

    Args:
        log: Where refused products are explained.
        clock: How busy the stages are.
        tell: Told after each batch.
    """

    def __init__(self, log: RefusedLog, clock: StageClock, tell: Told | None = None) -> None:
        self.embedded = 0
        self.written = 0
        self._log = log
        self._clock = clock
        self._tell = tell
        self._started = time.perf_counter()
        self._works: Counter[Work] = Counter()
        self._lock = Lock()

    @property
    def works(self) -> dict[Work, int]:
        """Products by what they needed."""
        with self._lock:
            return dict(self._works)

    @property
    def refused(self) -> dict[str, int]:
        """Products left out, by stage and cause."""
        with self._lock:
            return dict(self._log.by_cause)

    @property
    def refused_share(self) -> float:
        """Part of what was dealt with that was left out, 0 to 1."""
        with self._lock:
            return self._log.count / max(1, self._works.total() + self._log.count)

    def refuse(self, refused: Refused) -> None:
        """Count and explain a product that is left out."""
        with self._lock:
            self._log.add(refused)

    def good(self, items: Iterable[T | Refused]) -> Iterator[T]:
        """The items that are not refused; those that are, are counted."""
        return taken(items, self.refuse)

    def count(self, works: Iterable[Work], embedded: int = 0, written: int = 0) -> None:
        """Count products that are dealt with."""
        with self._lock:
            self._works.update(works)
            self.embedded += embedded
            self.written += written
            if self._tell:
                self._tell(self._standing())

    def _standing(self) -> Standing:
        return Standing(
            done=self._works.total() + self._log.count,
            refused=self._log.count,
            embedded=self.embedded,
            written=self.written,
            stages=self._clock.rates(),
            elapsed_s=time.perf_counter() - self._started,
        )
