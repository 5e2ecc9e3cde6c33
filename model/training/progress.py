"""A training on stderr: a bar with loss and speed, and one line per epoch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from model.training.fit import Step
from model.training.report import EpochRecord
from model.training.train import Event, Looked


@contextmanager
def show_training() -> Iterator[Callable[[Event], None]]:
    """A function that is told what happens, and shows it until the block ends.

    Where stderr is no terminal, only the line per epoch is written.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("pictures", total=None, state="")

        def show(event: Event) -> None:
            match event:
                case Looked(products):
                    bar.update(task, state=f"{products:,}")
                case Step():
                    bar.update(
                        task,
                        description=f"epoch {event.epoch}",
                        completed=event.number,
                        total=event.of,
                        state=f"loss {event.loss:.3f}  {event.pairs_per_s:,.0f} pairs/s",
                    )
                case EpochRecord():
                    console.print(_line(event), highlight=False)

        yield show


def _line(record: EpochRecord) -> str:
    name = f"epoch {record.epoch}" if record.epoch else "the base"
    loss = "" if record.loss is None else f"  loss {record.loss:.3f}"
    score = "" if record.score is None else f"  score {record.score:.3f}"
    return f"{name}{loss}{score}  {record.seconds:.0f} s"
