"""The rows of a catalog that a run is about."""

from collections.abc import Iterator
from itertools import islice

from goods.catalog import Catalog, Entry
from ingest.gone import Present
from ingest.refused import read_refused
from ingest.settings import IngestSettings


def expected_rows(catalog: Catalog, settings: IngestSettings) -> int | None:
    """About how many rows these will be; None where nobody can say."""
    if settings.retry is not None:
        return None
    if settings.limit is not None:
        return settings.limit // settings.part.of
    rows = catalog.count_estimate()
    return None if rows is None else rows // settings.part.of


def wanted_rows(
    catalog: Catalog, settings: IngestSettings, present: Present | None = None
) -> Iterator[Entry]:
    """The rows within limit, part and retry, in order; those without an id are in all parts.

    Every one of them is noted in `present`: what the catalog has, good or not, is not gone.
    """
    asked = None if settings.retry is None else read_refused(settings.retry)
    part = settings.part
    for entry in islice(catalog.entries(), settings.limit):
        if entry.id is not None:
            if asked is not None and entry.id not in asked:
                continue
            if not part.is_whole and not part.has(entry.point.int):
                continue
            if present is not None:
                present.note(entry.point)
        yield entry
