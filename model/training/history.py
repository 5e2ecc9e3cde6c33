"""The course of a training as tables and curves: what people plot, and look at."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from model.evaluation.evaluate import Evaluation
from model.training.fit import Step
from model.training.report import EpochRecord

STEPS = "history.csv"
EPOCHS = "epochs.csv"
CURVES = "curves.png"


def save_history(steps: Sequence[Step], epochs: Sequence[EpochRecord], folder: Path) -> None:
    """Write `history.csv`, one row per step, and `epochs.csv`, one per epoch with all scores."""
    named = ("step", "epoch", "loss", "lr", "pairs_per_s")
    rows = ((s.number, s.epoch, s.loss, s.lr, round(s.pairs_per_s, 1)) for s in steps)
    _write(folder / STEPS, named, rows)
    measured = [dict(named_scores(record.val)) for record in epochs]
    columns = list(dict.fromkeys(name for scores in measured for name in scores))
    _write(
        folder / EPOCHS,
        ("epoch", "loss", "score", "seconds", *columns),
        (
            (r.epoch, r.loss, r.score, round(r.seconds, 1), *(scores.get(c) for c in columns))
            for r, scores in zip(epochs, measured, strict=True)
        ),
    )


def save_curves(
    steps: Sequence[Step], epochs: Sequence[EpochRecord], planned: int, folder: Path
) -> None:
    """Draw `curves.png`: loss, learning rate and validation score.

    Args:
        steps: Done.
        epochs: Done.
        planned: Epochs of the whole training.
        folder: Where it goes.
    """
    # Half a second, which a training that is refused need not wait for.
    from model.evaluation.plots import CurvePoint, EpochPoint, save_training_curves

    points = [CurvePoint(s.number, s.number / s.of * planned, s.loss, s.lr) for s in steps]
    scores = [EpochPoint(r.epoch, r.score) for r in epochs if r.score is not None]
    save_training_curves(points, scores, folder / CURVES)


def named_scores(scores: Evaluation | None) -> Iterator[tuple[str, float]]:
    """Every score of an evaluation under the name of its column."""
    if scores and scores.titles:
        for name, value in asdict(scores.titles).items():
            yield f"title_{name}", value
    for phrases in scores.phrases if scores else ():
        yield f"precision_at_10 {' + '.join(phrases.fields)}", phrases.precision_at_10


def _write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
    fresh.replace(file)
