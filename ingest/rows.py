"""The products of a catalog that a run is about."""

from collections.abc import Iterator
from itertools import islice

from goods.catalog import Catalog, RefusedRow
from goods.product import Product, point_id
from ingest.gone import Present
from ingest.refused import Refused, for_its_row, read_refused
from ingest.settings import IngestSettings


def wanted_products(
    catalog: Catalog, settings: IngestSettings, present: Present | None = None
) -> Iterator[Product | Refused]:
    """The rows within limit, part and retry, in order.

    Every one of them is noted in `present`: what the catalog has, good or not, is not gone.
    """
    asked = None if settings.retry is None else read_refused(settings.retry)
    needs_point = present is not None or not settings.part.is_whole
    for row in islice(catalog.products(), settings.limit):
        product_id = row.product_id if isinstance(row, RefusedRow) else row.id
        if product_id is not None:
            if asked is not None and product_id not in asked:
                continue
            point = point_id(product_id) if needs_point else None
            if point and not settings.part.has(point.int):
                continue
            if point and present is not None:
                present.note(point)
        yield for_its_row(row) if isinstance(row, RefusedRow) else row
