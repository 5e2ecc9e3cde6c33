"""From ranked points to hits: products, together with their variants."""

from collections.abc import Iterator, Sequence

from goods.index import AnyOf, Condition, VectorIndex
from goods.index.contract import GROUP, product_of
from search.answer import Hit
from search.ranking import Ranked

VARIANTS = 1000
"""Variants read for one page."""


def hits_of(
    ranked: Sequence[Ranked],
    index: VectorIndex,
    conditions: Sequence[Condition],
    *,
    by_group: bool,
) -> Iterator[Hit]:
    """The hits; with `by_group` each with its variants under the conditions."""
    schema = index.contract.schema
    groups = tuple(r.payload[GROUP] for r in ranked if GROUP in r.payload) if by_group else ()
    alike = (*conditions, AnyOf(GROUP, groups))
    records = index.listed(VARIANTS, conditions=alike) if groups else []
    counted = index.facet(GROUP, alike, limit=len(groups)) if groups else []
    counts = {count.value: count.count - 1 for count in counted}
    for one in ranked:
        group = one.payload.get(GROUP, "")
        others = [r for r in records if r.payload[GROUP] == group and r.id != one.id]
        yield Hit(
            product=product_of(one.payload, schema),
            score=one.cosine,
            words=one.words,
            variants=tuple(product_of(r.payload, schema) for r in others),
            variant_count=counts.get(group, 0),
        )
