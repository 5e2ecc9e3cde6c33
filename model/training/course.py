"""How far a training is: its steps and scores so far, kept on the disk as it goes."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from goods.errors import DivergedError, TrainingError
from goods.product import Product
from model.evaluation.evaluate import Evaluation
from model.evaluation.results import QueryHits
from model.training.events import Event, Resumed
from model.training.fit import Fit, Step
from model.training.guard import GuardReport
from model.training.history import save_curves, save_history
from model.training.identity import Identity
from model.training.recipe import RECORD
from model.training.records import revived
from model.training.report import EpochRecord, TrainReport
from model.training.state import StateFolder, TrainState

_WORTH_CURVES_S = 10  # of an epoch: drawing them takes half a second


class Course:
    """A training under way: owns what has happened in it, and the folder that keeps that.

    Args:
        fit: The model in training.
        identity: What the training is of.
        folder: Keeps its state.
        report: What is known of it before it begins.
        save_every_min: How often its state is saved within an epoch.

    Attributes:
        report: What it measured until now.
        base_found: What the base finds among the test products.
        steps: Those that were done.
    """

    def __init__(
        self,
        fit: Fit,
        identity: Identity,
        folder: StateFolder,
        report: TrainReport,
        save_every_min: float,
    ) -> None:
        self._fit, self._identity, self._folder = fit, identity, folder
        self._save_every_s = 60 * save_every_min
        self._saved_at = time.monotonic()
        self.report = report
        self.base_found: Sequence[QueryHits] = ()
        self.steps: list[Step] = []

    def resume(self, products: Sequence[Product], progress: Callable[[Event], None]) -> None:
        """Go on where the state in the folder was saved.

        Raises:
            TrainingError: It is of another training, or damaged.
        """
        state = self._folder.load(self._identity, products)
        self._fit.restore(state.fit)
        self.report = replace(self.report, history=state.epochs, base_test=state.base_test)
        self.base_found, self.steps = state.base_found, list(state.steps)
        if not self.epochs_left:
            self.report = replace(self.report, guard=_guarded(self._folder.checkpoint))
        progress(Resumed(len(self.steps)))

    def begin(self, val: EpochRecord, test: Evaluation | None, found: Sequence[QueryHits]) -> None:
        """Take down what the base scores and finds."""
        self.report = replace(self.report, base_test=test, history=(val,))
        self.base_found = found

    @property
    def epochs_left(self) -> range:
        """The epochs that are not finished."""
        done = sum(record.epoch > 0 for record in self.report.history)
        return range(done + 1, self.report.recipe.epochs + 1)

    def learn(self, epoch: int, progress: Callable[[Event], None]) -> float:
        """The mean loss of one epoch, learned.

        Raises:
            DivergedError: The loss is no longer a number; the curves until then stay in the folder.
            TrainingError: The state cannot be written, or no picture can be read any more.
        """
        try:
            for step in self._fit.epoch(epoch):
                self.steps.append(step)
                progress(step)
                if time.monotonic() - self._saved_at >= self._save_every_s:
                    self.save()
        except DivergedError as error:
            self._folder.drop_state()  # it leads here again
            self.draw(self._folder.path)
            best, out = self.report.best_epoch, self._folder.checkpoint
            kept = f"the checkpoint of epoch {best} is in {out}" if best else "nothing is saved yet"
            raise DivergedError(
                f"{error}; {kept}; the course of the loss is in {self._folder.path}"
            ) from error
        losses = [step.loss for step in self.steps if step.epoch == epoch]
        if not losses:
            raise TrainingError(
                f"in epoch {epoch} no picture could be read any more; bring them back, and go on "
                "with --resume"
            )
        return sum(losses) / len(losses)

    def finish(self, record: EpochRecord) -> bool:
        """Take down an epoch's scores; whether it is the best until now."""
        self.report = replace(self.report, history=(*self.report.history, record))
        return self.report.best_epoch == record.epoch

    def save(self) -> None:
        """Save the state.

        Raises:
            TrainingError: It cannot be written.
        """
        report = self.report
        state = TrainState(
            self._fit.state(), self.steps, report.history, report.base_test, self.base_found
        )
        self._folder.save(self._identity, state)
        if report.history and report.history[-1].seconds > _WORTH_CURVES_S:
            self.draw(self._folder.path)
        self._saved_at = time.monotonic()

    def draw(self, folder: Path) -> None:
        """Write the tables and curves for people."""
        save_history(self.steps, self.report.history, folder)
        save_curves(self.steps, self.report.history, self.report.recipe.epochs, folder)


def _guarded(checkpoint: Path) -> GuardReport | None:
    """What the guard has made of the checkpoint already: of its blend it must not make another."""
    file = checkpoint / RECORD
    guard = json.loads(file.read_text(encoding="utf-8"))["guard"] if file.is_file() else None
    return revived(GuardReport, guard) if guard else None
