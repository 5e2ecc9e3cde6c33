"""Results in few numbers: means with intervals, and every later model against the first."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.evaluation.results import ModelResult, TaskResult
from model.evaluation.slices import slices
from model.evaluation.statistics import bootstrap_interval, holm, paired_difference

_SIGNIFICANT = 0.05
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(number: int) -> str:
    """What tables and pages call a model: A, B ... Z, A2 ..."""
    turn, place = divmod(number, len(_LETTERS))
    return _LETTERS[place] + (str(turn + 1) if turn else "")


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over queries, and where it would lie for other queries like these (95 %)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Gain:
    """What a later model scores above the first.

    Attributes:
        mean: Positive where it is better.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p_value: Of a paired randomisation test, for itself.
        corrected: The p-value corrected for all tests of the run (Holm): with many tests some
            look significant by chance.
    """

    mean: float
    low: float
    high: float
    p_value: float
    corrected: float

    @property
    def is_significant(self) -> bool:
        """Whether chance alone would seldom show it, all tests of the run considered."""
        return self.corrected < _SIGNIFICANT


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one task.

    Attributes:
        task: The task's name.
        queries: How many.
        measure: "P@10".
        ceiling: What a perfect order reaches.
        scores: Of each model.
        gains: Of each model after the first.
    """

    task: str
    queries: int
    measure: str
    ceiling: float
    scores: Sequence[Score]
    gains: Sequence[Gain]


@dataclass(frozen=True, slots=True)
class Average:
    """A measure over tasks, each of which counts the same.

    Attributes:
        tasks: Their names.
        measure: "P@10".
        ceiling: What perfect orders reach.
        means: Of each model.
    """

    tasks: Sequence[str]
    measure: str
    ceiling: float
    means: Sequence[float]


@dataclass(frozen=True, slots=True)
class Weak:
    """Queries of a task that ask for one value: "green skirts".

    Attributes:
        task: The task.
        field: The field, or several.
        value: What is asked for.
        queries: How many of them.
        measure: The task's first measure.
        means: Of each model.
    """

    task: str
    field: str
    value: str
    queries: int
    measure: str
    means: Sequence[float]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is printed, and written as JSON.

    Attributes:
        catalog: The catalog's file name.
        split: Which products.
        protocol: How they were asked.
        products: How many were searched.
        models: Their names.
        stamps: Their model stamps.
        trained_on: For each how many of the products it has learned from.
        clip_scores: For each the mean of 100 * cosine of a title and its picture.
        rows: Every measure.
        averages: Over tasks with the same measures.
        weakest: Where the last model is worst, per task.
    """

    catalog: str
    split: str
    protocol: str
    products: int
    models: Sequence[str]
    stamps: Sequence[str]
    trained_on: Sequence[int]
    clip_scores: Sequence[float | None]
    rows: Sequence[Row]
    averages: Sequence[Average]
    weakest: Sequence[Weak]

    def to_json(self) -> dict[str, Any]:
        """A plain form."""
        return asdict(self)


def summarise(
    results: Sequence[ModelResult], catalog: str, split: str, protocol: str, weakest: int
) -> Summary:
    """The numbers of these models, asked the same.

    Args:
        results: One or more models.
        catalog: The catalog's name.
        split: Which products were searched.
        protocol: How they were asked.
        weakest: How many slices to name for each task.
    """
    tasks = [list(asked) for asked in zip(*(result.tasks for result in results), strict=True)]
    return Summary(
        catalog=catalog,
        split=split,
        protocol=protocol,
        products=results[0].corpus,
        models=[result.model for result in results],
        stamps=[result.stamp for result in results],
        trained_on=[result.trained_on for result in results],
        clip_scores=[result.clip_score for result in results],
        rows=list(_rows(tasks)),
        averages=list(_averages(tasks)),
        weakest=[weak for asked in tasks for weak in _weakest(asked, weakest)],
    )


def _rows(tasks: Sequence[Sequence[TaskResult]]) -> Iterator[Row]:
    gains = _gains(tasks)
    for asked in tasks:
        for place, measure in enumerate(asked[0].measures):
            values = [result.measures[place].values_Q for result in asked]
            yield Row(
                task=asked[0].task,
                queries=len(asked[0].queries),
                measure=measure.name,
                ceiling=measure.ceiling,
                scores=[_score(values_Q) for values_Q in values],
                gains=[next(gains) for _ in values[1:]],
            )


def _score(values_Q: NDArray[np.float64]) -> Score:
    interval = bootstrap_interval(values_Q)
    return Score(float(values_Q.mean()), interval.low, interval.high)


def _gains(tasks: Sequence[Sequence[TaskResult]]) -> Iterator[Gain]:
    """By task, measure and model."""
    differences = [
        paired_difference(first.values_Q, result.measures[place].values_Q)
        for asked in tasks
        for place, first in enumerate(asked[0].measures)
        for result in asked[1:]
    ]
    corrected = holm([difference.p_value for difference in differences])
    for difference, p_value in zip(differences, corrected, strict=True):
        yield Gain(difference.mean, difference.low, difference.high, difference.p_value, p_value)


def _averages(tasks: Sequence[Sequence[TaskResult]]) -> Iterator[Average]:
    alike: dict[tuple[str, ...], list[Sequence[TaskResult]]] = {}
    for asked in tasks:
        alike.setdefault(tuple(measure.name for measure in asked[0].measures), []).append(asked)
    for names, together in alike.items():
        if len(together) < 2:
            continue
        for place, name in enumerate(names):
            ceilings = [asked[0].measures[place].ceiling for asked in together]
            means = [[result.measures[place].mean for result in asked] for asked in together]
            yield Average(
                tasks=[asked[0].task for asked in together],
                measure=name,
                ceiling=float(np.mean(ceilings)),
                means=np.mean(means, axis=0).tolist(),
            )


def _weakest(asked: Sequence[TaskResult], count: int) -> Iterator[Weak]:
    for one in slices(asked)[:count]:
        measure = asked[0].measures[0].name
        yield Weak(asked[0].task, one.field, one.value, one.queries, measure, one.means)
