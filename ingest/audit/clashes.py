"""Products that the catalog contradicts itself about: one title, two truths; one id, two rows.

Which attributes a title settles is learned from the catalog: those that nearly all products of one
title share. A shop that sells one title in five colours is thus not told so.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from goods.product import Product
from goods.schema import CatalogSchema, FieldKind
from ingest.audit.findings import Finding, Kind, ids, words_of
from model.captions import plain

_SETTLED = 0.9  # share of the repeated titles that agree on a field, so that the rest are faults
_ENOUGH = 10  # repeated titles, to say so


def clash_findings(products: Sequence[Product], schema: CatalogSchema) -> Iterator[Finding]:
    """Titles whose products disagree in what titles settle, and ids that look the same."""
    by_title = defaultdict(list)
    for product in products:
        if title := plain(product.title):
            by_title[title].append(product)
    repeated = [same for same in by_title.values() if len(same) > 1]
    for field in schema.of_kind(FieldKind.KEYWORD):
        yield from _disagreeing(repeated, field.name)
    yield from _same_ids(products)


def _disagreeing(repeated: Sequence[Sequence[Product]], name: str) -> Iterator[Finding]:
    clashing, agreeing = [], 0
    for same in repeated:
        having = [product for product in same if name in product.attributes]
        values = Counter(words_of(product, name) for product in having)
        if len(values) > 1:
            clashing.append((having, values))
        elif len(having) > 1:
            agreeing += 1
    told = agreeing + len(clashing)
    if told < _ENOUGH or agreeing < _SETTLED * told:
        return
    for having, values in clashing:
        (first, most), (_, next_most), *_ = values.most_common(2)
        counts = ", ".join(f"{value} {count}" for value, count in values.most_common())
        yield Finding(
            Kind.TITLE_CLASH,
            f"{name} of {having[0].title!r}: {counts}",
            agreeing / told,
            ids(having),
            len(having),
            name,
            " / ".join(value for value in values if value != first or most == next_most),
            first if most > next_most else "",
        )


def _same_ids(products: Sequence[Product]) -> Iterator[Finding]:
    """Ids that are one but for capitals and spaces; equal ones are refused when they are read."""
    by_id = defaultdict(list)
    for product in products:
        by_id["".join(product.id.casefold().split())].append(product)
    for same in by_id.values():
        if len(same) > 1:
            shown = ", ".join(repr(product.id) for product in same)
            yield Finding(Kind.SAME_ID, f"{shown} look the same", 1.0, ids(same), len(same))
