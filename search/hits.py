"""From ranked points to hits: products, together with their variants."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from goods.index import AnyOf, Condition, Exists, Range, VectorIndex
from goods.index.contract import GROUP, product_of
from goods.index.words import words
from goods.product import Value
from goods.schema import CatalogSchema
from search.answer import Hit
from search.ranking import Ranked

VARIANTS = 1000
"""Variants read for one page."""


def hits_of(
    ranked: Sequence[Ranked],
    index: VectorIndex,
    conditions: Sequence[Condition],
    said: str,
    *,
    by_group: bool,
) -> Iterator[Hit]:
    """The hits, each with what it matched; with `by_group` with variants under the conditions."""
    schema = index.contract.schema
    demanded = {c.field for c in conditions if isinstance(c, AnyOf | Range | Exists)}
    asked = frozenset(words(said))
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
            matched=_matched(one.payload, schema, demanded, asked),
            variants=tuple(product_of(r.payload, schema) for r in others),
            variant_count=counts.get(group, 0),
        )


def _matched(
    payload: Mapping[str, Any],
    schema: CatalogSchema,
    demanded: Collection[str],
    asked: Collection[str],
) -> dict[str, Value]:
    """The fields that a filter is about, and keywords that the text says, with their values."""
    matched: dict[str, Value] = {}
    for field in schema.fields:
        value = payload.get(field.name)
        values = value if isinstance(value, list) else [] if value is None else [value]
        said = [v for v in values if isinstance(v, str) and set(words(v)) <= set(asked)]
        if value is not None and (field.name in demanded or said):
            matched[field.name] = tuple(value) if isinstance(value, list) else value
    return matched
