"""Products that are taken out of an index by their ids."""

from collections.abc import Iterable
from dataclasses import dataclass

from goods.index import VectorIndex
from goods.product import point_id
from goods.streams import batches
from ingest.ledger import Ledger

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of products that were to be deleted.

    Attributes:
        deleted: The ids of those that were there, each once, in the order asked for.
        missing: Likewise of those that were not.
        left: How many products the index has now.
    """

    deleted: tuple[str, ...]
    missing: tuple[str, ...]
    left: int


def delete_products(index: VectorIndex, ids: Iterable[str]) -> Deletion:
    """Delete the products with these ids of the shop from an index that is served.

    The ledger forgets them, and stays true of all others: the next run looks up no more than these.

    Raises:
        IndexStoreError: The index fails; some may be deleted.
    """
    asked = {point_id(each): each for each in ids}
    found = {
        record.id for batch in batches(asked, _AT_ONCE) for record in index.fetch(batch, keys=())
    }
    there = [point for point in asked if point in found]
    ledger = Ledger(index.read_ledger())
    for batch in batches(there, _AT_ONCE):
        index.delete(batch)
    ledger.forget(there)
    ledger.keep(index)
    return Deletion(
        deleted=tuple(asked[point] for point in there),
        missing=tuple(asked[point] for point in asked if point not in found),
        left=index.count(),
    )
