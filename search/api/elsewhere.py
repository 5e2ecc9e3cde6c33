"""Where a catalog has its pictures now, for an index whose own references lead nowhere."""

import logging
import threading
from collections.abc import Mapping

from goods.catalog import Catalog, RefusedRow
from goods.errors import CatalogError
from goods.product import Picture
from goods.schema import CatalogSchema
from goods.sources import open_table

log = logging.getLogger("goods.serve")


class CatalogPictures:
    """The pictures of a catalog by product; it is read when the first one is asked for.

    Args:
        location: The catalog; there is none if None.
    """

    def __init__(self, location: str | None) -> None:
        self._location = location
        self._places: Mapping[str, str] | None = None
        self._lock = threading.Lock()

    def find(self, product_id: str, schema: CatalogSchema) -> Picture | None:
        """Where the catalog has the product's picture; None when it has none."""
        if self._location is None:
            return None
        with self._lock:
            if self._places is None:
                self._places = _read(self._location, schema)
        place = self._places.get(product_id)
        return None if place is None else Picture(place)


def _read(location: str, schema: CatalogSchema) -> dict[str, str]:
    places: dict[str, str] = {}
    try:
        for product in Catalog(schema, open_table(location)).products():
            if not isinstance(product, RefusedRow):
                places[product.id] = product.picture.location
    except CatalogError as error:
        log.warning("no pictures from the catalog: %s", error)
    return places
