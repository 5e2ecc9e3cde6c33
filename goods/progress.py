"""A progress bar on stderr: how far, how fast, how long still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Speed(ProgressColumn):
    """How many per second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """The rate over the last half minute."""
        speed = f"{task.speed:,.0f}" if task.speed else "-"
        return Text(f"{speed} {self._unit}/s" if self._unit else f"{speed}/s")


Told = Callable[[str, int, int | None], None]
"""Is told the stage, how many are done, and of how many, where that is known."""


@contextmanager
def bar(title: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """A function that is told how many are done, and shows it until the block ends.

    Nothing is drawn when stderr is not a terminal.
    """
    with stages(unit) as tell:
        tell(title, 0, total)
        yield lambda done: tell(title, done, total)


@contextmanager
def stages(unit: str = "") -> Iterator[Told]:
    """As `bar`, for work in stages: each has a bar of its own, in place of the one before."""
    console = Console(stderr=True)
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(unit),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

    def tell(stage: str, done: int, total: int | None) -> None:
        if [task.description for task in shown.tasks] != [stage]:
            for number in shown.task_ids:
                shown.remove_task(number)
            shown.add_task(stage, total=total)
        shown.update(shown.task_ids[0], completed=done)

    with shown:
        yield tell
