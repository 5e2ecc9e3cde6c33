"""Searches of an index under every kind of filter, exact and on its graph."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice, product
from typing import Any

import numpy as np

from goods.index import AnyOf, Condition, Not, Range, SearchMode, Vector, VectorIndex
from goods.index.conditions import Scalar
from goods.schema import Field, FieldKind
from search.facets import count_facets

TOP = 10
TIE = 1e-6

BANDS = tuple(2.0**-n for n in range(8, 0, -1))
"""Shares of the catalog around which filters are tried: from .4 to 50 %."""

EFS = (64, 128, 192, 256, 384, 512, 640, 768, 1024, 1536, 2048)
"""Candidates that a walk keeps, to choose from."""

_VALUES = 1000  # of each field, among which the ones nearest to the bands are chosen


_PAIRED = 5  # fields that are tried two by two
_VALUES_PAIRED = 3  # of each of them
_PAIRS_PER_BAND = 2
_OWN_FROM = 0.02  # mean share of the catalog that a query's own value has


@dataclass(frozen=True, slots=True)
class Probe:
    """A query to measure with.

    Attributes:
        vector: What is searched for, a unit vector.
        payload: What the index has of the product that it comes from.
    """

    vector: Vector
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demand:
    """A filter, and how many products hold to it.

    Attributes:
        name: What the table calls it.
        conditions: What holds for every query.
        count: How many products are left; the mean, where that depends on the query.
        unlike: A field of which the values that the query itself has are excluded, as when somebody
            asks for what looks like a dress among all that is none.
    """

    name: str
    conditions: tuple[Condition, ...]
    count: int
    unlike: str | None = None

    @property
    def is_filter(self) -> bool:
        """Whether it excludes anything."""
        return bool(self.conditions or self.unlike)

    def of(self, probe: Probe) -> tuple[Condition, ...]:
        """What holds for this query."""
        own = probe.payload.get(self.unlike) if self.unlike else None
        if own is None:
            return self.conditions
        values = tuple(own) if isinstance(own, list | tuple) else (own,)
        return (*self.conditions, Not(AnyOf(str(self.unlike), values)))


@dataclass(frozen=True, slots=True)
class Trial:
    """Searches under one demand in one mode.

    Attributes:
        demand: What held.
        mode: How was searched.
        recall: Share of the exact best 10 that was found, mean over the queries.
        p50_ms: Median time of a search.
        error: Standard error of the recall.
    """

    demand: Demand
    mode: SearchMode
    recall: float
    p50_ms: float
    error: float = 0.0


def demands(index: VectorIndex) -> Iterator[Demand]:
    """What to try as a filter.

    None; of every field what is near each band, all but the most frequent value, all but those that
    half of the products have, all but the query's own; and values of two fields together.
    """
    total = index.count()
    yield Demand("none", (), total)
    frequent: list[list[tuple[str, AnyOf, int]]] = []
    for each in index.contract.schema.fields:
        choices = [choice for choice in _choices(index, each) if choice[2] >= TOP]
        if not choices:
            continue
        nearest = {min(choices, key=lambda c: abs(np.log(c[2] / total / b))) for b in BANDS}
        for shown, condition, count in sorted(nearest, key=lambda choice: choice[2]):
            name = f"{each.name}{'' if isinstance(condition, Range) else '='}{shown}"
            yield Demand(name, (condition,), count)
        if each.kind is FieldKind.NUMBER:
            continue
        values = sorted(
            ((f"{each.name}={shown}", c, n) for shown, c, n in choices if isinstance(c, AnyOf)),
            key=lambda value: -value[2],
        )
        frequent.append(values[:_VALUES_PAIRED])
        name, condition, count = values[0]
        if total - count >= TOP:
            yield Demand(name.replace("=", "!=", 1), (Not(condition),), total - count)
        if half := _without_half(index, values, total):
            yield half
        own = round(sum(count**2 for _, _, count in choices) / total)
        if total - own >= TOP and own >= _OWN_FROM * total:
            yield Demand(f"{each.name}!=its own", (), total - own, unlike=each.name)
    yield from _pairs(index, frequent, total)


def _without_half(
    index: VectorIndex, values: Sequence[tuple[str, AnyOf, int]], total: int
) -> Demand | None:
    """All but the values of a field that about half of the products have; None for one value."""
    most: tuple[Scalar, ...] = ()
    at_most = 0  # products that have them; fewer, where some have several
    for number, (_, condition, count) in enumerate(values, start=1):
        most += condition.values
        at_most += count
        if number == 1 or at_most < total / 3:
            continue
        left = Not(AnyOf(condition.field, most))
        if TOP <= (count := index.count((left,))) <= 2 * total / 3:
            return Demand(f"{condition.field}!=({number} values)", (left,), count)
    return None


def _pairs(
    index: VectorIndex, frequent: Sequence[Sequence[tuple[str, AnyOf, int]]], total: int
) -> Iterator[Demand]:
    """Two fields at once, near each band: many products have either value, and few have both."""
    broadest = sorted(frequent, key=lambda values: -values[0][2])[:_PAIRED]
    found = []
    for values, others in combinations(broadest, 2):
        for (name, condition, count), (other, too, more) in product(values, others):
            both = index.count((condition, too))
            if TOP <= both < min(count, more):
                found.append(Demand(f"{name} {other}", (condition, too), both))
    chosen = {
        pair: None
        for band in BANDS
        for pair in sorted(found, key=lambda d: abs(np.log(d.count / total / band)))[
            :_PAIRS_PER_BAND
        ]
    }
    yield from sorted(chosen, key=lambda pair: pair.count)


def _choices(index: VectorIndex, of: Field) -> Iterator[tuple[str, AnyOf | Range, int]]:
    """A field's values, or for numbers what lies below some bounds, with counts."""
    if of.kind is FieldKind.NUMBER:
        for bound in _bounds(index, of.name):
            below = Range(of.name, lt=bound)
            yield f"<{bound:g}", below, index.count((below,))
        return
    facets = count_facets(index, [of.name], limit=_VALUES)
    for f in facets.values.get(of.name, ()):
        yield str(f.value), AnyOf(of.name, (f.value,)), f.count


def _bounds(index: VectorIndex, name: str) -> list[float]:
    """Numbers below which about each band of the products lies, by the first: ids are hashes."""
    records = islice(index.scan(_VALUES, keys=[name]), _VALUES)
    numbers = sorted(record.payload.get(name, np.inf) for record in records)
    bounds = dict.fromkeys(numbers[int(band * len(numbers))] for band in BANDS if numbers)
    return [bound for bound in bounds if np.isfinite(bound)]


def attempt(
    index: VectorIndex,
    probes: Sequence[Probe],
    demand: Demand,
    modes: Sequence[SearchMode],
    *,
    gives_up: bool = False,
) -> list[Trial]:
    """All queries under one demand: exact first, then in every mode.

    Args:
        index: What is measured.
        probes: The queries.
        demand: What holds.
        modes: Walks to try, the shorter ones first.
        gives_up: Whether a walk that took longer than the exact scan is the last of its kind.
    """
    exact = SearchMode(is_exact=True)
    bests, exact_ms = [], []
    for probe in probes:
        hits, spent = _search(index, probe, demand, exact)
        bests.append(hits)
        exact_ms.append(spent)
    trials = [Trial(demand, exact, 1.0, float(np.median(exact_ms)))]
    for mode in modes:
        if gives_up and any(
            t.mode.use_acorn == mode.use_acorn and t.p50_ms > trials[0].p50_ms for t in trials[1:]
        ):
            continue
        recalls, times = [], []
        for probe, best in zip(probes, bests, strict=True):
            hits, spent = _search(index, probe, demand, mode)
            reached = sum(score >= best[-1] - TIE for score in hits) if best else 0
            recalls.append(reached / len(best) if best else 1.0)
            times.append(spent)
        error = float(np.std(recalls) / np.sqrt(len(recalls)))
        recall, p50_ms = float(np.mean(recalls)), float(np.median(times))
        trials.append(Trial(demand, mode, recall, p50_ms, error))
    return trials


def _search(
    index: VectorIndex, probe: Probe, demand: Demand, mode: SearchMode
) -> tuple[list[float], float]:
    conditions = demand.of(probe)
    started = time.perf_counter()
    found = index.search(probe.vector, TOP, conditions=conditions, mode=mode)
    return [hit.score for hit in found], (time.perf_counter() - started) * 1e3
