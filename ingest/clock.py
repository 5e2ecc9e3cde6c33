"""How long each stage is busy, and which of them the run waits for."""

import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

T = TypeVar("T", bound=Sized)


@dataclass(frozen=True, slots=True)
class StageRate:
    """How much one stage handled, and how long it was busy with it.

    Attributes:
        stage: Its name.
        products: How many it handled.
        busy_s: Seconds, added up over its lanes.
        lanes: How many it handles at a time.
    """

    stage: str
    products: int
    busy_s: float
    lanes: int = 1

    @property
    def per_s(self) -> float:
        """Products per second, if all its lanes were always busy."""
        return self.products * self.lanes / self.busy_s if self.busy_s else 0.0

    def share(self, wall_s: float) -> float:
        """Part of the time that its lanes were busy, 0 to 1."""
        return self.busy_s / (self.lanes * wall_s) if wall_s else 0.0


@dataclass(slots=True)
class _Busy:
    products: int = 0
    busy_s: float = 0.0


class StageClock:
    """Adds up how long stages are busy; safe to use from several threads.

    Args:
        lanes: How many products a stage handles at a time, where that is more than one.
    """

    def __init__(self, **lanes: int) -> None:
        self._lanes = lanes
        self._stages: dict[str, _Busy] = {}
        self._lock = Lock()

    @contextmanager
    def measure(self, stage: str, products: int = 0) -> Iterator[None]:
        """Count what happens inside as this stage's work on so many products."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, products, time.perf_counter() - started)

    def making(self, stage: str, batches: Iterable[T]) -> Iterator[T]:
        """The same batches, the making of each counted as this stage's work."""
        iterator = iter(batches)
        while True:
            started = time.perf_counter()
            batch = next(iterator, None)
            self.add(stage, len(batch) if batch is not None else 0, time.perf_counter() - started)
            if batch is None:
                return
            yield batch

    def rates(self) -> tuple[StageRate, ...]:
        """The stages in the order in which they first ran."""
        with self._lock:
            return tuple(
                StageRate(stage, busy.products, busy.busy_s, self._lanes.get(stage, 1))
                for stage, busy in self._stages.items()
            )

    def add(self, stage: str, products: int, seconds: float) -> None:
        """Count work of a stage that was measured elsewhere."""
        with self._lock:
            busy = self._stages.setdefault(stage, _Busy())
            busy.products += products
            busy.busy_s += seconds


IDLE = 0.5
"""Part of the time below which even the busiest stage waits for something else."""


def bottleneck(stages: Iterable[StageRate], wall_s: float) -> str:
    """What the run waited for: its busiest stage, or when all of them had time, the hosts."""
    busiest = max(stages, key=lambda stage: stage.share(wall_s), default=None)
    if busiest is None or busiest.share(wall_s) < IDLE:
        return "download"
    return busiest.stage
