"""What an evaluation found: plain records that tables, JSON and reports are made of.

Legend: Q queries of a task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goods.product import Product


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of one task.

    Attributes:
        name: In the field's spelling: "R@10", "P@10", "RR@10", "nDCG@10".
        values_Q: For each query.
        ceiling_Q: What a perfect order would reach: below 1 where, say, fewer than ten products
            are right and P@10 is asked.
    """

    name: str
    values_Q: NDArray[np.float64]
    ceiling_Q: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Over all queries, each counting the same."""
        return float(self.values_Q.mean())

    @property
    def ceiling(self) -> float:
        """The mean that perfect orders would reach."""
        return float(self.ceiling_Q.mean())


@dataclass(frozen=True, slots=True)
class Hit:
    """One product that a query found, and whether it is right."""

    product: Product
    score: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class QueryHits:
    """What one query found: for people to look at.

    Attributes:
        query: Its text, or for a picture the title or id of its product.
        asked_by: The product whose picture is the query; None for a text.
        hits: The nearest first.
    """

    query: str
    hits: Sequence[Hit]
    asked_by: Product | None = None


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What one model scores on one task.

    Attributes:
        task: The task's name: "titles", "colour + category", "variants", or of a file.
        queries: A name for each query, the same for every model: paired tests match them.
        measures: One or more, all over the same queries.
        slices: For each field the value that each query asks for ("" where it names none):
            `{"colour": ("red", "blue", ...)}`; what scores are broken down by.
        shown: Some queries with their hits; the same queries for every model.
        is_aside: Shown apart, and part of no average; see `tasks.Task`.
    """

    task: str
    queries: Sequence[str]
    measures: Sequence[Measure]
    slices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shown: Sequence[QueryHits] = ()
    is_aside: bool = False


@dataclass(frozen=True, slots=True)
class ModelResult:
    """What one model scores on every task.

    Attributes:
        model: The folder or hub name that it was loaded from.
        stamp: Its model stamp.
        corpus: How many products it searched.
        tasks: In the order in which they are shown.
        trained_on: How many of these products it has learned from, as far as its folder tells.
        clip_score: Mean of 100 * cosine of a title and its own picture, where titles were asked:
            how alike, not how good.
    """

    model: str
    stamp: str
    corpus: int
    tasks: Sequence[TaskResult]
    trained_on: int = 0
    clip_score: float | None = None


def by_task(results: Sequence[ModelResult]) -> list[list[TaskResult]]:
    """For each task what every model scores on it.

    Raises:
        ValueError: There is no model, or they were not asked the same.
    """
    if not results:
        raise ValueError("there is no result to report")
    first, *others = ([_asked(task) for task in result.tasks] for result in results)
    if any(other != first for other in others):
        raise ValueError("the models were not asked the same queries; ask them in one run")
    return [list(together) for together in zip(*(result.tasks for result in results), strict=True)]


def _asked(task: TaskResult) -> tuple[str, Sequence[str], list[str]]:
    return task.task, task.queries, [measure.name for measure in task.measures]
