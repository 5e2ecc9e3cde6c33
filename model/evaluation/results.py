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
        ceiling: The mean that a perfect order would reach: below 1 where, say, fewer than ten
            products are right and P@10 is asked.
    """

    name: str
    values_Q: NDArray[np.float64]
    ceiling: float

    @property
    def mean(self) -> float:
        """Over all queries, each counting the same."""
        return float(self.values_Q.mean())


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
    """

    task: str
    queries: Sequence[str]
    measures: Sequence[Measure]
    slices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shown: Sequence[QueryHits] = ()

    def measure(self, name: str) -> Measure:
        """The measure of this name.

        Raises:
            KeyError: There is none.
        """
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(name)


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

    def task(self, name: str) -> TaskResult | None:
        """The result of the task of this name, if it was asked."""
        return next((result for result in self.tasks if result.task == name), None)
