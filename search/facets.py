"""What the products under some filters have: counts per value, and ranges of numbers."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from goods.errors import QueryError
from goods.index import Condition, Exists, FacetCount, HasId, Not, Order, Range, VectorIndex
from goods.schema import CatalogSchema, FieldKind
from search.deadline import check

FACET_LIMIT = 100
"""Values of one field that are counted, unless more are asked for."""

RANGES = 10
"""Ranges of a number field at most."""

_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class RangeCount:
    """How many products have a number from `low` on and below `high`; the last range has both."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class NumberFacet:
    """A number field of some products.

    Attributes:
        low: The smallest number.
        high: The largest.
        ranges: All between them, in ranges of the same round width.
    """

    low: float
    high: float
    ranges: tuple[RangeCount, ...]


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts of fields: of each value, or for a number field of ranges; none where none has one."""

    values: dict[str, tuple[FacetCount, ...]]
    numbers: dict[str, NumberFacet]


def count_facets(
    index: VectorIndex,
    names: Sequence[str],
    conditions: Sequence[Condition] = (),
    *,
    limit: int = FACET_LIMIT,
    widen: bool = False,
) -> Facets:
    """Counts of these fields under the conditions, exact, the most frequent values first.

    Args:
        index: Where the products are.
        names: Fields of its schema.
        conditions: What the counted products hold to.
        limit: Values counted per field.
        widen: Count each field under the conditions on the other fields alone, so that a shopper
            who chose red sees how many blue ones there are.

    Raises:
        QueryError: There is no such field.
    """
    schema = index.contract.schema
    values: dict[str, tuple[FacetCount, ...]] = {}
    numbers: dict[str, NumberFacet] = {}
    for name in names:
        check()
        held = [c for c in conditions if not (widen and _about(c) == name)]
        if _kind(schema, name) is not FieldKind.NUMBER:
            values[name] = tuple(index.facet(name, held, limit=limit))
        elif found := _number_facet(index, name, held):
            numbers[name] = found
    return Facets(values, numbers)


def _kind(schema: CatalogSchema, name: str) -> FieldKind:
    field = schema.field(name)
    if field is None:
        known = ", ".join(f.name for f in schema.fields)
        raise QueryError(f"there is no field {name!r} to count; there are {known}")
    return field.kind


def _number_facet(
    index: VectorIndex, name: str, conditions: Sequence[Condition]
) -> NumberFacet | None:
    held = (*conditions, Exists(name))
    least = index.listed(1, conditions=held, order=Order(name))
    most = index.listed(1, conditions=held, order=Order(name, is_descending=True))
    if not least or not most:
        return None
    low, high = float(least[0].payload[name]), float(most[0].payload[name])
    return NumberFacet(low, high, tuple(_ranges(index, name, conditions, edges(low, high))))


def _ranges(
    index: VectorIndex, name: str, conditions: Sequence[Condition], bounds: Sequence[float]
) -> Iterator[RangeCount]:
    for low, high in pairwise(bounds):
        is_last = high == bounds[-1]
        bound = Range(name, gte=low, lte=high) if is_last else Range(name, gte=low, lt=high)
        yield RangeCount(low, high, index.count((*conditions, bound)))


def edges(low: float, high: float) -> list[float]:
    """Where up to `RANGES` ranges meet: multiples of 1, 2 or 5 times a power of ten."""
    if high - low < sys.float_info.min * RANGES:  # one number, or too close to tell apart
        return [low, high]
    rough = (high - low) / (RANGES - 1)  # one range is lost where the ends are no multiples
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((s * power for s in _STEPS if s * power >= rough), 10 * power)
    first, last = math.floor(low / step), math.ceil(high / step)
    bounds = [float(f"{number * step:.12g}") for number in range(first, max(last, first + 1) + 1)]
    return [min(bounds[0], low), *bounds[1:-1], max(bounds[-1], high)]


def _about(condition: Condition) -> str | None:
    """The field that a condition is about."""
    if isinstance(condition, Not):
        return _about(condition.condition)
    return None if isinstance(condition, HasId) else condition.field
