"""Searches of an index under every kind of filter, exact and on its graph."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from goods.index import AnyOf, Condition, Not, Range, SearchMode, Vector, VectorIndex
from goods.schema import Field, FieldKind
from search.facets import count_facets

TOP = 10
TIE = 1e-6

BANDS = (0.003, 0.03, 0.15, 0.5)
"""Shares of the catalog around which filters are tried."""

EFS = (64, 128, 256, 512, 1024)
"""Candidates that a walk keeps, to choose from."""

_VALUES = 1000  # of each field, among which the ones nearest to the bands are chosen


@dataclass(frozen=True, slots=True)
class Demand:
    """A filter, and how many products hold to it."""

    name: str
    conditions: tuple[Condition, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Trial:
    """Searches under one demand in one mode.

    Attributes:
        demand: What held.
        mode: How was searched.
        recall: Share of the exact best 10 that was found, mean over the queries.
        p50_ms: Median time of a search.
    """

    demand: Demand
    mode: SearchMode
    recall: float
    p50_ms: float


def demands(index: VectorIndex) -> Iterator[Demand]:
    """No filter; of every field what is near each band; and none of the most frequent."""
    total = index.count()
    yield Demand("none", (), total)
    for field in index.contract.schema.fields:
        choices = list(_choices(index, field))
        choices = [choice for choice in choices if choice[2] >= TOP]
        nearest = {
            min(choices, key=lambda c: abs(np.log(c[2] / total / b))) for b in BANDS if choices
        }
        for shown, condition, count in sorted(nearest, key=lambda choice: choice[2]):
            name = f"{field.name}{'' if isinstance(condition, Range) else '='}{shown}"
            yield Demand(name, (condition,), count)
        if choices and field.kind is not FieldKind.NUMBER:
            shown, condition, count = max(choices, key=lambda choice: choice[2])
            if total - count >= TOP:
                yield Demand(f"{field.name}!={shown}", (Not(condition),), total - count)


def _choices(index: VectorIndex, field: Field) -> Iterator[tuple[str, AnyOf | Range, int]]:
    """A field's values, or for numbers what lies below each bound, with counts."""
    facets = count_facets(index, [field.name], limit=_VALUES)
    if found := facets.numbers.get(field.name):
        below = found.ranges[:-1]  # below the last bound is everything
        for r, count in zip(below, accumulate(r.count for r in below), strict=True):
            yield f"<{r.high:g}", Range(field.name, lt=r.high), count
    for f in facets.values.get(field.name, ()):
        yield str(f.value), AnyOf(field.name, (f.value,)), f.count


def attempt(
    index: VectorIndex, queries: Sequence[Vector], demand: Demand, modes: Sequence[SearchMode]
) -> list[Trial]:
    """All queries under one demand: exact first, then in every mode."""
    exact = SearchMode(is_exact=True)
    bests, exact_ms = [], []
    for query in queries:
        hits, spent = _search(index, query, demand, exact)
        bests.append(hits)
        exact_ms.append(spent)
    trials = [Trial(demand, exact, 1.0, float(np.median(exact_ms)))]
    for mode in modes:
        recalls, times = [], []
        for query, best in zip(queries, bests, strict=True):
            hits, spent = _search(index, query, demand, mode)
            reached = sum(score >= best[-1] - TIE for score in hits) if best else 0
            recalls.append(reached / len(best) if best else 1.0)
            times.append(spent)
        trials.append(Trial(demand, mode, float(np.mean(recalls)), float(np.median(times))))
    return trials


def _search(
    index: VectorIndex, query: Vector, demand: Demand, mode: SearchMode
) -> tuple[list[float], float]:
    started = time.perf_counter()
    found = index.search(query, TOP, conditions=demand.conditions, mode=mode)
    return [hit.score for hit in found], (time.perf_counter() - started) * 1e3
