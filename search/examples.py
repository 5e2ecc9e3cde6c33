"""The products of the catalog that a query names: found, and then left out of what it finds."""

from collections.abc import Iterable

from goods.errors import QueryError
from goods.index import AnyOf, Condition, HasId, Not, Record, VectorIndex
from goods.index.contract import GROUP
from goods.product import point_id
from search.query import Query


def find_examples(index: VectorIndex, query: Query) -> dict[str, Record]:
    """The products that a query names, with their vectors, by the shop's id.

    Raises:
        QueryError: The index has no such product.
    """
    names = {point_id(name): name for name in (*query.products, *query.minus_products)}
    records = index.fetch(list(names), with_vectors=True) if names else []
    found = {names[r.id]: r for r in records if r.vector is not None}
    for name in names.values():
        if name not in found:
            raise QueryError(f"there is no product {name!r} in the index")
    return found


def unlike(examples: Iterable[Record], include_variants: bool) -> tuple[Condition, ...]:
    """Leaves out the examples themselves and, unless asked for, their variants."""
    records = list(examples)
    if not records:
        return ()
    groups = tuple(sorted({r.payload[GROUP] for r in records if GROUP in r.payload}))
    themselves = Not(HasId(tuple(sorted(record.id for record in records))))
    if include_variants or not groups:
        return (themselves,)
    return (themselves, Not(AnyOf(GROUP, groups)))
