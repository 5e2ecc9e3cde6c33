"""A training on TensorBoard."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from goods.errors import TrainingError
from model.training.events import Event, Resumed
from model.training.fit import Step
from model.training.history import named_scores
from model.training.report import EpochRecord


@contextmanager
def show_on_board(folder: Path | None) -> Iterator[Callable[[Event], None]]:
    """A function that is told what happens, and writes it to a folder; None writes nothing.

    Scores of an epoch stand at its last step, so that all curves share one axis.

    Raises:
        TrainingError: TensorBoard is not installed.
    """
    if folder is None:
        yield lambda _: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError("--tensorboard needs TensorBoard: pip install tensorboard") from error
    board, step = SummaryWriter(folder), 0

    def show(event: Event) -> None:
        nonlocal board, step
        match event:
            case Resumed():
                board.close()  # what the interrupted run wrote after this step will come again
                board, step = SummaryWriter(folder, purge_step=event.step + 1), event.step
            case Step():
                step = event.number
                board.add_scalar("train/loss", event.loss, step)
                board.add_scalar("train/lr", event.lr, step)
                board.add_scalar("train/pairs_per_s", event.pairs_per_s, step)
            case EpochRecord():
                if event.score is not None:
                    board.add_scalar("val/score", event.score, step)
                for name, value in named_scores(event.val):
                    board.add_scalar(f"val/{name}", value, step)
                board.flush()

    try:
        yield show
    finally:
        board.close()
