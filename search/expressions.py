"""Filters in the form that people type, so that they can be sent."""

from collections.abc import Iterator, Sequence

from goods.errors import FilterError
from goods.index.conditions import Scalar
from search.filters import Between, Filters


def expressions(filters: Filters) -> Iterator[str]:
    """What `Filters.parse` reads as these filters.

    Raises:
        FilterError: A field has an empty list of values.
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
            yield f"{name}{operator}{float(number)!r}"


def _list(name: str, values: Sequence[Scalar] | Scalar) -> str:
    several = [values] if isinstance(values, str | bool | float | int) else values
    quoted = [_quoted(str(value)) for value in several]
    if not quoted:
        raise FilterError(f"a filter on {name} needs values")
    return ",".join(quoted)


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
