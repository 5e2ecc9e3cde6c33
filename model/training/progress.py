"""A training on stderr: a bar with loss, rate and speed, and one line per epoch."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from model.training.events import Event, Looked, Resumed
from model.training.fit import Step
from model.training.guard import Blend
from model.training.report import EpochRecord

_SPEED_S = 120.0  # of steps that the time left is estimated from: epochs' ends are slower
_LINE_EVERY_S = 60.0  # where lines are all there is, a sign of life


@contextmanager
def show_training() -> Iterator[Callable[[Event], None]]:
    """A function that is told what happens, and shows it until the block ends.

    Where stderr is no terminal, there are plain lines: one a minute, and one per epoch.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(console).show
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        speed_estimate_period=_SPEED_S,
    )
    with bar:
        task = bar.add_task("pictures", total=None, state="")
        yield lambda event: _draw(event, bar, task)


def _draw(event: Event, bar: Progress, task: TaskID) -> None:
    match event:
        case Looked():
            bar.update(task, state=f"{event.products:,}")
        case Resumed():
            bar.update(task, completed=event.step)
            bar.console.print(_line(event), highlight=False)
        case Step():
            bar.update(
                task,
                description=f"epoch {event.epoch}",
                completed=event.number,
                total=event.of,
                state=_state(event),
            )
        case EpochRecord() | Blend():
            bar.console.print(_line(event), highlight=False)


class _Lines:
    """Plain lines; owns when the last one was written."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told_at = self._began_at = time.monotonic()
        self._began_with: int | None = None

    def show(self, event: Event) -> None:
        """Write what is worth a line."""
        now = time.monotonic()
        if isinstance(event, Step) and self._began_with is None:
            self._began_at, self._began_with = now, event.number
        if isinstance(event, EpochRecord | Resumed | Blend):
            self._print(_line(event))
        elif now - self._told_at >= _LINE_EVERY_S:
            if isinstance(event, Looked):
                self._print(f"{event.products:,} pictures")
            else:
                self._print(f"{_line(event)}  {self._left(event, now)} left")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)
        self._told_at = time.monotonic()

    def _left(self, step: Step, now: float) -> str:
        done = step.number - (self._began_with or 0)
        left_s = (now - self._began_at) / max(1, done) * (step.of - step.number)
        hours, minutes = divmod(round(left_s / 60), 60)
        return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _line(event: Step | EpochRecord | Resumed | Blend) -> str:
    match event:
        case Blend():
            loss = "" if event.loss is None else f"  loss {event.loss:.1%}"
            return f"blend: alpha {event.alpha:g}  shop {event.shop:.3f}{loss}"
        case Resumed():
            return f"going on after step {event.step:,}"
        case Step():
            return f"epoch {event.epoch}  step {event.number:,} of {event.of:,}  {_state(event)}"
        case EpochRecord():
            name = f"epoch {event.epoch}" if event.epoch else "the base"
            loss = "" if event.loss is None else f"  loss {event.loss:.3f}"
            score = "" if event.score is None else f"  score {event.score:.3f}"
            return f"{name}{loss}{score}  {event.seconds:.0f} s"


def _state(step: Step) -> str:
    return f"loss {step.loss:.3f}  lr {step.lr:.1e}  {step.pairs_per_s:,.0f} pairs/s"
