"""Scores by what is asked for: "green skirts" may fail where the mean over all queries looks well.

Legend: Q queries, S queries of a slice.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.evaluation.results import TaskResult

MIN_QUERIES = 5  # a mean over fewer says more of luck than of the model


@dataclass(frozen=True, slots=True)
class Slice:
    """The queries of a task that ask for one value.

    Attributes:
        field: "colour", or several: "colour + category".
        value: "green", "green skirts".
        scores: For each model its score on each of these queries, in the task's first measure.
    """

    field: str
    value: str
    scores: Sequence[NDArray[np.float64]]

    @property
    def queries(self) -> int:
        """How many."""
        return len(self.scores[0])

    @property
    def means(self) -> tuple[float, ...]:
        """For each model the mean."""
        return tuple(float(values_S.mean()) for values_S in self.scores)


def slices(results: Sequence[TaskResult]) -> list[Slice]:
    """The slices of one task, those where the last model is worst first.

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
        Slice(field, value, [result.measures[0].values_Q[numbers] for result in results])
        for field, values in fields.items()
        for value, numbers in _enough(values)
    ]
    return sorted(found, key=lambda one: (one.means[-1], -one.queries, one.field, one.value))


def _enough(values: Sequence[str]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each value that is asked for often enough, and by which queries."""
    numbers = defaultdict(list)
    for number, value in enumerate(values):
        numbers[value].append(number)
    least = 1 if len(numbers) == len(values) else MIN_QUERIES
    for value, asking in numbers.items():
        if value and len(asking) >= least:
            yield value, np.array(asking)
