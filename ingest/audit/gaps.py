"""Values that are not there: how many products lack each field, and which."""

from collections.abc import Iterator, Sequence

from goods.product import Product
from goods.schema import CatalogSchema
from ingest.audit.findings import Finding, Kind, ids
from ingest.audit.numbers import price_fields

_EXAMPLES = 5


def gap_findings(products: Sequence[Product], schema: CatalogSchema) -> Iterator[Finding]:
    """One finding for each field and for the title, where products lack it.

    Products without a price are found one by one, unless they are more than half.
    """
    prices = price_fields(schema)
    for field in schema.fields:
        without = [product for product in products if field.name not in product.attributes]
        if field.name in prices and 2 * len(without) <= len(products):
            for product in without:
                note = f"{field.name} is empty"
                yield Finding(Kind.MISSING_PRICE, note, products=(product.id,), field=field.name)
        else:
            kind = Kind.MISSING_PRICE if field.name in prices else Kind.MISSING_VALUES
            yield from _gap(kind, field.name, without, len(products))
    if schema.title:
        untitled = [product for product in products if not product.title]
        yield from _gap(Kind.MISSING_VALUES, "title", untitled, len(products))


def _gap(kind: Kind, name: str, without: Sequence[Product], total: int) -> Iterator[Finding]:
    if without:
        share = 100 * len(without) / total
        yield Finding(
            kind,
            f"{len(without):,} of {total:,} products ({share:.1f} %) have no {name}",
            products=ids(without[:_EXAMPLES]),
            count=len(without),
            field=name,
        )
