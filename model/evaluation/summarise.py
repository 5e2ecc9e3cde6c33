"""From results to a summary: intervals, tests, averages, and the weakest slices."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model.evaluation.results import ModelResult, TaskResult, by_task
from model.evaluation.slices import slices, weakest
from model.evaluation.statistics import bootstrap_interval, holm, paired_difference
from model.evaluation.summary import Average, Gain, Row, Score, Summary, Weak


def summarise(
    results: Sequence[ModelResult], catalog: str, split: str, protocol: str, slices_named: int
) -> Summary:
    """The numbers of these models, asked the same.

    Args:
        results: One or more models.
        catalog: The catalog's name.
        split: Which products were searched.
        protocol: How they were asked.
        slices_named: How many of the weakest slices are named for each task.

    Raises:
        ValueError: There is no result, or the models were not asked the same.
    """
    tasks = by_task(results)
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
        weakest=[weak for asked in tasks for weak in _weakest(asked, slices_named)],
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
                is_aside=asked[0].is_aside,
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
        names = tuple(measure.name for measure in asked[0].measures)
        if not asked[0].is_aside:
            alike.setdefault(names, []).append(asked)
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
    task, measure = asked[0].task, asked[0].measures[0].name
    for one in weakest(slices(asked), count):
        yield Weak(task, one.field, one.value, one.queries, measure, one.ceiling, one.means)
