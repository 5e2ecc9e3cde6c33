"""What a shopper demands of a product's attributes: typed, and checked against the catalog."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Self

from goods.errors import FilterError
from goods.index.conditions import AnyOf, Condition, Exists, Not, Range, Scalar
from goods.schema import CatalogSchema, Field, FieldKind
from goods.values import boolean

_EXPRESSION = re.compile(r"\s*([\w-]+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*", re.DOTALL)
_VALUE = re.compile(r'(?:^|,)\s*(?:"((?:[^"]|"")*)"\s*(?=,|\Z)|([^,]*))')
_BOUND = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}

ValuesOf = Callable[[str], Sequence[str] | None]
"""Gives the values that a keyword field has in the catalog, or None when they are too many."""


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a number; those that are None do not bind."""

    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Demands by field name; a product has to hold to all of them.

    Attributes:
        any_of: It has one of these values.
        none_of: It has none of these values.
        between: Its number lies within all these bounds.
        exists: It has some value.
        missing: It has no value.

    Raises:
        FilterError: Bounds are no `Between`.
    """

    any_of: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)
    none_of: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)
    between: Mapping[str, Sequence[Between] | Between] = field(default_factory=dict)
    exists: Sequence[str] = ()
    missing: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, bounds in self.between.items():
            for bound in [bounds] if isinstance(bounds, Between) else bounds:
                if not isinstance(bound, Between):
                    raise FilterError(
                        f"the bounds of {name} are {bounds!r}; write Between(gte=10, lt=40)"
                    )

    @classmethod
    def parse(cls, expressions: Iterable[str]) -> Self:
        """Filters from the form people type.

        `colour=Red`, `colour=Red,Blue` (either), `colour!=Red`, `price<40`, `price>=10`,
        `price=10..40` (both ends included), `size=*` (has one), `size!=*` (has none).

        Raises:
            FilterError: An expression has another form.
        """
        any_of: dict[str, list[Scalar]] = {}
        none_of: dict[str, list[Scalar]] = {}
        between: dict[str, list[Between]] = {}
        exists: list[str] = []
        missing: list[str] = []
        for expression in expressions:
            name, operator, text = _split(expression)
            if operator in _BOUND:
                between.setdefault(name, []).append(
                    Between(**{_BOUND[operator]: _number(name, text)})
                )
            elif text == "*":
                (missing if operator == "!=" else exists).append(name)
            elif operator == "=" and ".." in text and '"' not in text:
                between.setdefault(name, []).append(_interval(name, text))
            else:
                chosen = any_of if operator == "=" else none_of
                chosen.setdefault(name, []).extend(_values(text))
        return cls(any_of, none_of, between, tuple(exists), tuple(missing))

    def conditions(self, schema: CatalogSchema, values_of: ValuesOf) -> tuple[Condition, ...]:
        """The demands as the index takes them.

        Raises:
            FilterError: A field or value does not exist (the nearest ones are named), or a value
                has another type than its field.
        """
        return tuple(self._conditions(schema, values_of))

    def _conditions(self, schema: CatalogSchema, values_of: ValuesOf) -> Iterator[Condition]:
        for name, values in self.any_of.items():
            yield AnyOf(name, _typed(_field(schema, name), values, values_of))
        for name, values in self.none_of.items():
            yield Not(AnyOf(name, _typed(_field(schema, name), values, values_of)))
        for name, bounds in self.between.items():
            if _field(schema, name).kind is not FieldKind.NUMBER:
                raise FilterError(f"{name} is not a number; filter it by {name}=VALUE")
            for bound in [bounds] if isinstance(bounds, Between) else bounds:
                yield Range(name, bound.gt, bound.gte, bound.lt, bound.lte)
        for name in self.exists:
            yield Exists(_field(schema, name).name)
        for name in self.missing:
            yield Not(Exists(_field(schema, name).name))


def _split(expression: str) -> tuple[str, str, str]:
    match = _EXPRESSION.fullmatch(expression)
    if match is None or not match[3]:
        raise FilterError(
            f"filter {expression!r} cannot be read; write colour=Red, colour=Red,Blue, "
            "colour!=Red, price<40, price=10..40, size=* or size!=*"
        )
    return match[1], match[2], match[3]


def _values(text: str) -> list[str]:
    """The values between commas; what stands in double quotes is taken as it is, "" as a quote."""
    return [
        bare.strip() if quoted is None else quoted.replace('""', '"')
        for quoted, bare in (match.groups() for match in _VALUE.finditer(text))
    ]


def _interval(name: str, text: str) -> Between:
    low, _, high = text.partition("..")
    return Between(
        gte=_number(name, low) if low.strip() else None,
        lte=_number(name, high) if high.strip() else None,
    )


def _number(name: str, value: Scalar) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FilterError(f"{name} is a number; {value!r} is not one")
    return number


def _field(schema: CatalogSchema, name: str) -> Field:
    found = schema.field(name)
    if found is None:
        names = [f.name for f in schema.fields]
        raise FilterError(f"there is no field {name!r}; {_nearest(name, names, 'fields')}")
    return found


def _typed(wanted: Field, values: Sequence[Scalar], values_of: ValuesOf) -> tuple[Scalar, ...]:
    if isinstance(values, str | bool | float | int):
        values = (values,)
    if wanted.kind is FieldKind.NUMBER:
        return tuple(_number(wanted.name, value) for value in values)
    if wanted.kind is FieldKind.BOOLEAN:
        return tuple(_boolean(wanted.name, value) for value in values)
    known = values_of(wanted.name)
    return tuple(_keyword(wanted.name, str(value), known) for value in values)


def _boolean(name: str, value: Scalar) -> bool:
    try:
        return boolean(value)
    except ValueError as error:
        raise FilterError(f"{name} is true or false; {value!r} is neither") from error


def _keyword(name: str, value: str, known: Sequence[str] | None) -> str:
    """The catalog's own spelling of a value; its case need not be right."""
    if known is None or value in known:
        return value
    folded = {k.casefold(): k for k in known}
    if value.casefold() in folded:
        return folded[value.casefold()]
    raise FilterError(f"{name} has no value {value!r}; {_nearest(value, known, 'values')}")


def _nearest(word: str, known: Sequence[str], what: str) -> str:
    folded = {k.casefold(): k for k in known}
    near = get_close_matches(word.casefold(), folded, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(folded[n] for n in near) + "?"
    shown = ", ".join(sorted(known)[:12]) or "none"
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return f"the {what} are: {shown}{more}"
