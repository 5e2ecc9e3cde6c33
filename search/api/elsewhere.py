"""Where a catalog has its pictures now, for an index whose own references lead nowhere."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator

from goods.catalog import Catalog, RefusedRow
from goods.errors import CatalogError
from goods.product import Picture
from goods.schema import CatalogSchema, picture_parts
from goods.sources import open_table

log = logging.getLogger("goods.serve")

RETRY_S = 60.0
"""Seconds after which a catalog that could not be read is read again."""


class CatalogPictures:
    """The pictures of a catalog by product; it is read when the first one is asked for.

    Args:
        location: The catalog; there is none if None.
        clock: Gives seconds.
    """

    def __init__(self, location: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._location = location
        self._clock = clock
        self._places: dict[str, str] = {}
        self._read_again_at = -math.inf
        self._failure = ""
        self._lock = threading.Lock()

    def find(self, product_id: str, schema: CatalogSchema) -> Picture | None:
        """Where the catalog has the product's picture; None when it has none."""
        if self._location is None:
            return None
        with self._lock:
            if self._clock() >= self._read_again_at:
                self._read(self._location, schema)
            place = self._places.get(product_id)
        return None if place is None else Picture(place)

    def forget(self) -> None:
        """Read it again when the next picture is asked for: it may have changed with the index."""
        with self._lock:
            self._read_again_at = -math.inf

    def _read(self, location: str, schema: CatalogSchema) -> None:
        self._places, self._read_again_at = {}, math.inf
        try:
            self._places.update(_pictures(location, schema))
            self._failure = ""
        except CatalogError as error:  # what was read until then is of use
            self._read_again_at = self._clock() + RETRY_S
            if str(error) != self._failure:
                log.warning("no pictures from the catalog: %s", error)
            self._failure = str(error)


def _pictures(location: str, schema: CatalogSchema) -> Iterator[tuple[str, str]]:
    """Products' ids and where their pictures are; no other column is needed.

    Raises:
        CatalogError: It cannot be read, or lacks a column.
    """
    table = open_table(location)
    named = picture_parts(schema.picture, table.columns)[1::2] or (schema.picture,)
    missing = [column for column in (schema.id, *named) if column not in table.columns]
    if missing:
        raise CatalogError(
            f"{location} has no column {missing[0]!r}, which the index names; "
            "start goods serve with the --catalog that was ingested"
        )
    for product in Catalog(CatalogSchema(id=schema.id, picture=schema.picture), table).products():
        if not isinstance(product, RefusedRow):
            yield product.id, product.picture.location
