"""Scores by what is asked for: "green skirts" may fail where the mean over all queries looks well.

Legend: Q queries, S queries of a slice.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.evaluation.results import TaskResult
from model.evaluation.tasks import Numbers

MIN_QUERIES = 5  # a mean over fewer says more of luck than of the model
# Queries that each slice is thought to have besides, which score as the whole task.
_AS_THE_TASK = 5


@dataclass(frozen=True, slots=True)
class Slice:
    """The queries of a task that ask for one value.

    Attributes:
        field: "colour", or several: "colour + category".
        value: "green", "green skirts".
        numbers_S: The queries.
        scores: For each model its score on each of these queries, in the task's first measure.
        ceiling: The mean that perfect orders would reach.
        shortfall: By how much the last model's share of what can be reached is below its share in
            the whole task. Slices of few queries are drawn towards 0: else the least queries
            would always make the weakest slice, by luck.
    """

    field: str
    value: str
    numbers_S: Numbers
    scores: Sequence[NDArray[np.float64]]
    ceiling: float
    shortfall: float

    @property
    def queries(self) -> int:
        """How many."""
        return len(self.numbers_S)

    @property
    def means(self) -> tuple[float, ...]:
        """For each model the mean."""
        return tuple(float(values_S.mean()) for values_S in self.scores)


def slices(results: Sequence[TaskResult]) -> list[Slice]:
    """The slices of one task, those where the last model falls shortest first.

    Of a task that is named after its fields ("colour + category"), each query is one, too. Values
    that fewer than `MIN_QUERIES` queries ask for are left out, unless every query of the task asks
    for a value of its own: then each stands for itself.

    Args:
        results: The task's results of each model, over the same queries.
    """
    last = results[-1]
    fields = dict(last.slices)
    if " + ".join(fields) == last.task:
        fields[last.task] = last.queries
    found = [
        _slice(results, field, value, numbers_S)
        for field, values in fields.items()
        for value, numbers_S in _enough(values)
    ]
    return sorted(found, key=_rank)


def weakest(found: Sequence[Slice], count: int) -> list[Slice]:
    """The first slices that fall short, without those that ask mostly what is named already.

    "women blue heels" says nothing new where all "blue heels" are women's.
    """
    named: set[int] = set()
    chosen: list[Slice] = []
    for one in found:
        numbers = set(one.numbers_S.tolist())
        if len(chosen) < count and one.shortfall > 0 and 2 * len(numbers & named) <= len(numbers):
            chosen.append(one)
            named |= numbers
    return chosen


def _slice(results: Sequence[TaskResult], field: str, value: str, numbers_S: Numbers) -> Slice:
    measures = [result.measures[0] for result in results]
    ceiling_Q = measures[-1].ceiling_Q
    share_Q = measures[-1].values_Q / ceiling_Q
    drawn = len(numbers_S) / (len(numbers_S) + _AS_THE_TASK)
    return Slice(
        field=field,
        value=value,
        numbers_S=numbers_S,
        scores=[measure.values_Q[numbers_S] for measure in measures],
        ceiling=float(ceiling_Q[numbers_S].mean()),
        shortfall=round(drawn * float(share_Q.mean() - share_Q[numbers_S].mean()), 9),
    )


def _rank(one: Slice) -> tuple[float, float, int, int, str, str]:
    """The largest shortfall first; of equal ones the lowest score, then the plainest name."""
    fields = one.field.count("+")
    return (-one.shortfall, one.means[-1], -one.queries, fields, one.field, one.value)


def _enough(values: Sequence[str]) -> Iterator[tuple[str, Numbers]]:
    """Each value that is asked for often enough, and by which queries."""
    numbers = defaultdict(list)
    for number, value in enumerate(values):
        numbers[value].append(number)
    least = 1 if len(numbers) == len(values) else MIN_QUERIES
    for value, asking in numbers.items():
        if value and len(asking) >= least:
            yield value, np.array(asking)
