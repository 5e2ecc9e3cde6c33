"""Products that show one picture: the same file, or the same photograph saved anew.

Candidates are pictures whose 8 x 8 mean colours nearly agree (`model.groups.near_identical`); a
difference hash and, with a model, the cosine have to confirm them. 44,441 pictures take 3 s on one
core; the work grows with the square of the catalog, 6 % of the pairs being compared.

Legend: P pictures, D the dimension of a vector.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from goods.schema import CatalogSchema
from ingest.audit.findings import Finding, Kind, ids, words_of
from ingest.audit.gather import Gathered
from ingest.audit.look import Look
from model.captions import plain
from model.groups import Together, near_identical

# Of 956 pairs of a catalog at 60 x 80 pixels whose mean colours agree, the 515 within both limits
# were one photograph in all of 28 that were looked at (some were shades of one lipstick); between 8
# and 16 bits, or below .99, earrings on white became each other's twins.
MAX_BITS = 8
MIN_COSINE = 0.99

_PLACEHOLDER = 3  # products; and as many categories, or no category with more than half of them


@dataclass(frozen=True, slots=True)
class Twins:
    """Pictures that are one.

    Attributes:
        members: Their numbers among the P pictures, ascending; two at least.
        is_exact: Whether all are one file.
    """

    members: tuple[int, ...]
    is_exact: bool


def find_twins(looks: Sequence[Look], vectors_PD: NDArray[np.float32] | None) -> list[Twins]:
    """The groups of twins, in the order of their first members."""
    together, first = Together(len(looks)), dict[str, int]()
    for n, look in enumerate(looks):
        together.join(n, first.setdefault(look.digest, n))
    for one, other in _near(looks, list(first.values())):
        if vectors_PD is None or vectors_PD[one] @ vectors_PD[other] >= MIN_COSINE:
            together.join(one, other)
    groups = defaultdict(list)
    for n in range(len(looks)):
        groups[together.root(n)].append(n)
    return [
        Twins(tuple(members), len({looks[n].digest for n in members}) == 1)
        for members in groups.values()
        if len(members) > 1
    ]


def twin_findings(gathered: Gathered, twins: Sequence[Twins]) -> Iterator[Finding]:
    """Placeholders, doubles, and variants that share a picture."""
    for group in twins:
        products = [gathered.pictured[n] for n in group.members]
        designs = {product.group for product in products}
        if len(designs) == 1 and None not in designs:
            kind, note = Kind.VARIANTS, "all are variants of one product"
        elif _are_unlike(products, gathered.schema):
            kind, note = Kind.PLACEHOLDER, f"one picture for {len(products)} products"
        else:
            kind = Kind.EXACT_TWINS if group.is_exact else Kind.NEAR_TWINS
            note = _difference(products, gathered.schema)
        yield Finding(kind, note, products=ids(products), count=len(products))


def _near(looks: Sequence[Look], distinct: Sequence[int]) -> Iterator[tuple[int, int]]:
    if not distinct:
        return
    for one, other in near_identical(np.stack([looks[n].thumbnail for n in distinct])):
        first, second = distinct[one], distinct[other]
        if np.bitwise_count(looks[first].hash ^ looks[second].hash).sum() <= MAX_BITS:
            yield first, second


def _are_unlike(products: Sequence[Product], schema: CatalogSchema) -> bool:
    """Whether products are too different to share a picture; one wrong category is not enough."""
    if len(products) < _PLACEHOLDER:
        return False
    if schema.phrase:
        found = Counter(words_of(product, schema.phrase[-1]) for product in products)
        most = found.most_common(1)[0][1]
        return len(found) >= _PLACEHOLDER or 2 * most <= len(products)
    words = [set(plain(product.title).split()) for product in products]
    return all(words) and not set.intersection(*words)


def _difference(products: Sequence[Product], schema: CatalogSchema) -> str:
    """In what the twins differ, as far as the catalog says."""
    differing = []
    for name in schema.phrase:
        values = dict.fromkeys(words_of(product, name) or "none" for product in products)
        if len(values) > 1:
            differing.append(f"{name} {' / '.join(values)}")
    titles = {plain(product.title) for product in products}
    if len(titles) > 1:
        differing.append(f"{len(titles)} titles")
    return f"they differ in {', '.join(differing)}" if differing else "they differ in nothing"
