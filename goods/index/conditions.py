"""What a search may demand of a product, in plain types that no engine owns."""

import math
from dataclasses import dataclass
from uuid import UUID

from goods.errors import FilterError

Scalar = str | float | bool


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field has one of these values (for several keywords: shares one of them).

    No product has one of no values.
    """

    field: str
    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        _check_finite(self.field, *self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """The number lies between the bounds that are given."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None

    def __post_init__(self) -> None:
        _check_finite(self.field, self.gt, self.gte, self.lt, self.lte)


@dataclass(frozen=True, slots=True)
class Exists:
    """The product has some value for the field."""

    field: str


@dataclass(frozen=True, slots=True)
class HasId:
    """The product is one of these points."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold; a product without the field passes."""

    condition: "AnyOf | Range | Exists | HasId"


Condition = AnyOf | Range | Exists | HasId | Not
"""One demand; a search holds to all the conditions it is given."""


def _check_finite(field: str, *values: Scalar | None) -> None:
    """Refuse what crashes the embedded engine (NaN) or JSON turns into no bound (infinity).

    Raises:
        FilterError: One of the numbers is not finite.
    """
    for value in values:
        if isinstance(value, float) and not math.isfinite(value):
            raise FilterError(f"{field}: {value} is nothing to compare with; leave it out")
