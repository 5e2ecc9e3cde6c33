"""Plots: scores as SVG for the report, training curves as PNG.

No text of a catalog enters a plot: what it shows is named beside it, in the page's own fonts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from goods.errors import GoodsError
from model.evaluation.figures import FAINT, INK, MODEL_PAINT, PAPER, RULE, matplotlib_settings, svg
from model.evaluation.summary import is_below_one

_PNG = {"ink": "#1c2024", "faint": "#6b7278", "rule": "#e3e5e8", "line": "#2866b1"}
_MOST_POINTS = 4000  # of a curve: more than a PNG has columns


@dataclass(frozen=True, slots=True)
class Bar:
    """One score with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ScatterPoint:
    """One slice: what the first and the last model score on it, and how many queries it has."""

    before: float
    after: float
    queries: int


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One step of a training; `epoch` counts with fractions."""

    step: int
    epoch: float
    loss: float
    lr: float


@dataclass(frozen=True, slots=True)
class EpochPoint:
    """What the model scores on validation products after an epoch; 0 is the base."""

    epoch: int
    score: float


def score_bars(
    metrics: Sequence[str],
    bars: Sequence[Sequence[Bar]],
    ceilings: Sequence[float],
    name: str,
    label: str,
) -> str:
    """Bars with intervals as SVG: metrics below each other, models within them.

    Args:
        metrics: Their names.
        bars: For each model one bar per metric.
        ceilings: For each metric what a perfect order would reach; drawn where it is below 1.
        name: What ids within the SVG begin with: each plot of a page has its own.
        label: What is read aloud.
    """
    rows = len(metrics) * (len(bars) + 0.9)
    with matplotlib_settings():
        figure = Figure(figsize=(3.9, 0.45 + 0.19 * rows), layout="constrained")
        axes = figure.add_subplot()
        thickness = 0.8 / max(1, len(bars))
        top = np.arange(len(metrics), dtype=float)
        for number, scores in enumerate(bars):
            paint = MODEL_PAINT[number % len(MODEL_PAINT)]
            y = top + (number - (len(bars) - 1) / 2) * thickness
            axes.barh(y, [bar.value for bar in scores], 0.86 * thickness, color=paint)
            for place, bar in zip(y, scores, strict=True):
                for colour, width in ((PAPER, 3), (INK, 1)):  # a rim keeps it apart from the bar
                    axes.plot([bar.low, bar.high], [place] * 2, color=colour, linewidth=width)
        for place, ceiling in zip(top, ceilings, strict=True):
            if is_below_one(ceiling):
                axes.plot([ceiling] * 2, [place - 0.47, place + 0.47], color=FAINT, ls=(0, (2, 2)))
        axes.set_yticks(top, metrics)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        _quiet(axes, grid="x")
        return svg(figure, name, label)


def slice_scatter(
    points: Sequence[ScatterPoint], name: str, across: str, up: str, label: str
) -> str:
    """Slices as SVG: above the diagonal the model that is drawn upwards is better.

    Args:
        points: One for each slice.
        name: What ids within the SVG begin with.
        across: The first model, drawn from left to right.
        up: The last.
        label: What is read aloud.
    """
    with matplotlib_settings():
        figure = Figure(figsize=(3.2, 3.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (3, 3)))
        axes.scatter(
            [point.before for point in points],
            [point.after for point in points],
            s=[min(140.0, 12 + 6 * math.sqrt(point.queries)) for point in points],
            c=MODEL_PAINT[1],
            alpha=0.55,
            linewidths=0,
            clip_on=False,
        )
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        _quiet(axes, grid="both")
        return svg(figure, name, label)


def save_training_curves(
    steps: Sequence[CurvePoint], epochs: Sequence[EpochPoint], path: Path
) -> None:
    """Write loss, learning rate and validation score over epochs as one PNG.

    May be called again and again while training: the file is always whole.

    Raises:
        GoodsError: It cannot be written.
    """
    with matplotlib_settings():
        figure = Figure(figsize=(8, 7), dpi=120, layout="constrained")
        loss, rate, score = figure.subplots(3, 1, sharex=True, height_ratios=[3, 1.2, 2])
        _draw_steps(loss, rate, steps)
        _draw_score(score, epochs)
        score.set_xlabel("epoch", color=_PNG["faint"])
        fresh = path.with_name(f".{path.name}.new")
        try:
            figure.savefig(fresh, format="png", metadata={"Software": None})
            fresh.replace(path)
        except OSError as error:
            raise GoodsError(f"{path}: the curves cannot be written: {error}") from error


def _draw_steps(loss: Axes, rate: Axes, steps: Sequence[CurvePoint]) -> None:
    every = max(1, -(-len(steps) // _MOST_POINTS))
    epoch = np.array([step.epoch for step in steps])
    losses = np.array([step.loss for step in steps])
    loss.plot(epoch[::every], losses[::every], color=_PNG["line"], alpha=0.25, linewidth=0.8)
    loss.plot(epoch[::every], _smooth(losses)[::every], color=_PNG["line"], linewidth=1.8)
    _panel(loss, "loss, and its running mean")
    rate.plot(epoch[::every], [step.lr for step in steps[::every]], color=_PNG["line"])
    rate.yaxis.set_major_formatter("{x:g}")
    _panel(rate, "learning rate")


def _draw_score(axes: Axes, epochs: Sequence[EpochPoint]) -> None:
    axes.plot([p.epoch for p in epochs], [p.score for p in epochs], "o-", color=_PNG["line"])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    best = max(epochs, key=lambda point: point.score, default=None)
    title = "validation score"
    if best and not math.isnan(best.score):
        title += f"; best {best.score:.3f} after epoch {best.epoch}"
        axes.plot(
            [best.epoch], [best.score], "o", color=_PNG["ink"], markersize=9, fillstyle="none"
        )
    _panel(axes, title)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the last twentieth of the curve before each point; gaps are left out."""
    width = max(1, len(values) // 20)
    is_number = np.isfinite(values)
    total = np.cumsum(np.where(is_number, values, 0.0))
    count = np.cumsum(is_number)
    total[width:] -= total[:-width].copy()
    count[width:] -= count[:-width].copy()
    mean: NDArray[np.float64] = total / np.where(count, count, np.nan)
    return mean


def _panel(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=_PNG["ink"])
    axes.grid(color=_PNG["rule"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=_PNG["faint"])
    axes.spines[:].set_visible(False)


def _quiet(axes: Axes, grid: str) -> None:
    """Thin rules, no frame, faint numbers."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9, labelcolor=FAINT)
    axes.xaxis.label.set(color=FAINT, size=9)
    axes.yaxis.label.set(color=FAINT, size=9)
    axes.set_axisbelow(True)
    for axis in (axes.xaxis, axes.yaxis):
        if grid in (axis.axis_name, "both"):
            axis.grid(color=RULE, linewidth=0.8)
            axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
