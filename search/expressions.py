"""Filters in the form that people type, so that they can be sent."""

import csv
import io
from collections.abc import Iterator, Sequence

from goods.errors import FilterError
from goods.index.conditions import Scalar
from search.filters import Between, Filters


def expressions(filters: Filters) -> Iterator[str]:
    """What `Filters.parse` reads as these filters.

    Raises:
        FilterError: A value has a line break, which cannot be typed.
    """
    for name, values in filters.any_of.items():
        yield f"{name}={_list(name, values)}"
    for name, values in filters.none_of.items():
        yield f"{name}!={_list(name, values)}"
    for name, bounds in filters.between.items():
        for bound in [bounds] if isinstance(bounds, Between) else bounds:
            yield from _bounds(name, bound)
    yield from (f"{name}=*" for name in filters.exists)
    yield from (f"{name}!=*" for name in filters.missing)


def _bounds(name: str, bound: Between) -> Iterator[str]:
    for operator, number in (
        (">", bound.gt),
        (">=", bound.gte),
        ("<", bound.lt),
        ("<=", bound.lte),
    ):
        if number is not None:
            yield f"{name}{operator}{number!r}"


def _list(name: str, values: Sequence[Scalar] | Scalar) -> str:
    several = [values] if isinstance(values, str | bool | float | int) else values
    texts = [str(value) for value in several]
    if not texts or any("\n" in text or "\r" in text for text in texts):
        raise FilterError(f"a filter on {name} needs values, and none with a line break in it")
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="").writerow(texts)
    return written.getvalue()
