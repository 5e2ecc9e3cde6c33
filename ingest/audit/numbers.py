"""Numbers that cannot be: prices of nothing, or far from their category's; other numbers far off.

How far is counted in robust standard deviations: 1.4826 times the median distance from the median
(Iglewicz and Hoaglin 1993, *How to Detect and Handle Outliers*).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from goods.schema import CatalogSchema, FieldKind
from ingest.audit.findings import Finding, Kind, words_of

_PRICE = re.compile(r"(?i)price|msrp|rrp|cost|preis|prix|precio|prezzo")
_ENOUGH = 20  # prices of one category that say what is usual; smaller categories share theirs
_FAR = 6.0  # robust deviations
_TIMES = 5.0  # and a price this many times the usual one, or a part of it
_LEAST_SPREAD = 0.1  # of the log price: where most prices are one, a tenth off is no outlier
_VERY_FAR = 10.0  # of other numbers, on a plain and on a log scale: stocks have long tails
_MOSTLY = 0.995  # share of a field's numbers that makes a negative one odd


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is usual: the median, and the robust standard deviation."""

    median: float
    deviation: float


def price_fields(schema: CatalogSchema) -> frozenset[str]:
    """The number fields whose names speak of a price."""
    names = (field.name for field in schema.of_kind(FieldKind.NUMBER))
    return frozenset(name for name in names if _PRICE.search(name))


def number_findings(products: Sequence[Product], schema: CatalogSchema) -> Iterator[Finding]:
    """Odd prices and odd numbers of every number field; a missing one is no number."""
    prices = price_fields(schema)
    for field in schema.of_kind(FieldKind.NUMBER):
        having = [p for p in products if isinstance(p.attributes.get(field.name), float)]
        if field.name in prices:
            yield from _odd_prices(having, field.name, schema)
        else:
            yield from _odd_numbers(having, field.name)


def _odd_prices(products: Sequence[Product], name: str, schema: CatalogSchema) -> Iterator[Finding]:
    by_category = defaultdict(list)
    for product in products:
        price = _number(product, name)
        if price <= 0:
            said = "zero" if price == 0 else "negative"
            yield _odd(Kind.ODD_PRICE, product, name, f"{name} is {said}", 1.0)
        else:
            category = words_of(product, schema.phrase[-1]) if schema.phrase else ""
            by_category[category].append(product)
    small = [category for category, having in by_category.items() if len(having) < _ENOUGH]
    rest = [product for category in small for product in by_category.pop(category)]
    for category, having in [*by_category.items(), ("", rest)]:
        if len(having) >= _ENOUGH:
            yield from _outlying_prices(having, name, category)


def _outlying_prices(products: Sequence[Product], name: str, category: str) -> Iterator[Finding]:
    logs = np.log([_number(product, name) for product in products])
    usual = _usual(logs, _LEAST_SPREAD)
    for product, log in zip(products, logs.tolist(), strict=True):
        distance = abs(log - usual.median)
        if distance > max(_FAR * usual.deviation, np.log(_TIMES)):
            times = float(np.exp(distance))
            direction = "times" if log > usual.median else "times less than"
            note = (
                f"{name} is {times:,.3g} {direction} the usual {np.exp(usual.median):,.2f}"
                f"{f' of {category}' if category else ''}"
            )
            yield _odd(Kind.ODD_PRICE, product, name, note, 1 - 1 / times)


def _odd_numbers(products: Sequence[Product], name: str) -> Iterator[Finding]:
    if len(products) < _ENOUGH:
        return
    numbers = np.array([_number(product, name) for product in products])
    is_odd = _is_far(numbers)
    if (numbers >= 0).mean() >= _MOSTLY:
        is_odd &= _is_far(np.log1p(np.maximum(numbers, 0)))
        is_odd |= numbers < 0
    median = float(np.median(numbers))
    for n in np.flatnonzero(is_odd).tolist():
        note = f"{name} is far from the usual {median:g}"
        yield _odd(Kind.ODD_NUMBER, products[n], name, note, 0.8)


def _is_far(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which are more than `_VERY_FAR` deviations off; none where half are one number."""
    usual = _usual(numbers)
    if not usual.deviation:
        return np.zeros(len(numbers), bool)
    is_far: NDArray[np.bool_] = np.abs(numbers - usual.median) > _VERY_FAR * usual.deviation
    return is_far


def _usual(numbers: NDArray[np.float64], least: float = 0.0) -> _Usual:
    median = float(np.median(numbers))
    deviation = 1.4826 * float(np.median(np.abs(numbers - median)))
    return _Usual(median, max(deviation, least))


def _number(product: Product, name: str) -> float:
    value = product.attributes[name]
    return value if isinstance(value, float) else float("nan")  # no other kind comes here


def _odd(kind: Kind, product: Product, name: str, note: str, confidence: float) -> Finding:
    given = f"{_number(product, name):g}"
    return Finding(kind, note, confidence, (product.id,), field=name, given=given)
