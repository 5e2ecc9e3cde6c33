"""Who watches a run: people at a terminal, people who read a log, machines."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from goods.logs import FIELDS, JsonLines
from ingest.metrics import served_metrics
from ingest.tally import Standing, Told

log = logging.getLogger(__name__)

EVERY_S = 10
"""Seconds between two lines of progress."""


@contextmanager
def watching(total: int | None, how: str, metrics: str | None) -> Iterator[Told]:
    """A function that is told how far the run has come, and shows it until the block ends.

    Args:
        total: Products to expect, if that is known.
        how: "auto" for a bar where stderr is a terminal and lines elsewhere, "plain", or "json".
        metrics: `[host:]port` to serve Prometheus metrics at, if any.

    Raises:
        GoodsError: Nothing can be served there.
    """
    console = Console(stderr=True)
    with ExitStack() as stack:
        listeners: list[Told] = []
        if how == "auto" and console.is_terminal:
            listeners.append(stack.enter_context(_bar(console, total)))
        else:
            listeners.append(stack.enter_context(_lines(total, as_json=how == "json")))
        if metrics is not None:
            listeners.append(stack.enter_context(served_metrics(metrics, total)))

        def tell(standing: Standing) -> None:
            for listener in listeners:
                listener(standing)

        yield tell


@contextmanager
def _bar(console: Console, total: int | None) -> Iterator[Told]:
    """A bar, with the rate over the last half minute and what the run waits for."""
    shown = Progress(
        TextColumn("ingest"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        transient=True,
    )
    with shown:
        number = shown.add_task("", total=total, rate="", note="")

        def tell(now: Standing) -> None:
            speed = shown.tasks[0].speed
            shown.update(
                number,
                completed=now.done,
                rate=f"{speed:,.0f}/s" if speed else "",
                note=", ".join(_notes(now)),
            )

        yield tell


@contextmanager
def _lines(total: int | None, *, as_json: bool) -> Iterator[Told]:
    """A line every few seconds."""
    handler = logging.StreamHandler()
    if as_json:
        handler.setFormatter(JsonLines())
    root, before = logging.getLogger(), logging.getLogger().handlers
    level = log.level
    root.handlers = [handler] if as_json else before
    log.setLevel(logging.INFO)
    started = last_time = time.monotonic()
    last_done = 0

    def tell(now: Standing) -> None:
        nonlocal last_time, last_done
        moment = time.monotonic()
        if moment - last_time < EVERY_S:
            return
        per_s = (now.done - last_done) / (moment - last_time)
        last_time, last_done = moment, now.done
        left_s = (total - now.done) / per_s if total and per_s else None
        log.info(
            _line(now, total, per_s, left_s),
            extra={FIELDS: _fields(now, total, per_s, left_s, moment - started)},
        )

    try:
        yield tell
    finally:
        root.handlers = before
        log.setLevel(level)


def _line(now: Standing, total: int | None, per_s: float, left_s: float | None) -> str:
    of = f" of {total:,}" if total else ""
    parts = [f"{now.done:,}{of} products", f"{per_s:,.0f}/s"]
    if left_s is not None:
        parts.append(f"{timedelta(seconds=round(left_s))} left")
    return ", ".join([*parts, *_notes(now)])


def _notes(now: Standing) -> Iterator[str]:
    if now.refused:
        yield f"{now.refused:,} refused"
    yield f"limited by {now.bottleneck}"


def _fields(
    now: Standing, total: int | None, per_s: float, left_s: float | None, elapsed_s: float
) -> dict[str, object]:
    return {
        "done": now.done,
        "total": total,
        "refused": now.refused,
        "embedded": now.embedded,
        "written": now.written,
        "per_s": round(per_s, 1),
        "left_s": None if left_s is None else round(left_s),
        "elapsed_s": round(elapsed_s, 1),
        "bottleneck": now.bottleneck,
        "stages": {stage.stage: round(stage.per_s, 1) for stage in now.stages},
    }
