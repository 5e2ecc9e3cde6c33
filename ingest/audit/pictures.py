"""Pictures that show nothing: unreadable, of one colour, or too small."""

from collections.abc import Iterator

from goods.errors import PictureFault
from ingest.audit.findings import Finding, Kind, ids
from ingest.audit.gather import Gathered

_KINDS = {PictureFault.BLANK: Kind.BLANK, PictureFault.TOO_SMALL: Kind.SMALL}
"""Faults that stand apart from the unreadable ones."""


def picture_findings(gathered: Gathered, min_side: int) -> Iterator[Finding]:
    """Rows that are no products, then the pictures that are missing, blank or small.

    Args:
        gathered: The catalog.
        min_side: Pixels that the longer side of a picture should have. Where most pictures have
            fewer, that is said once.
    """
    for row in gathered.refused:
        known = (row.product_id,) if row.product_id else ()
        yield Finding(Kind.NOT_A_PRODUCT, row.reason, products=known)
    for item in gathered.unreadable:
        kind = _KINDS.get(item.fault, Kind.UNREADABLE)
        yield Finding(kind, item.message, products=(item.product.id,), given=item.fault.value)
    yield from _small(gathered, min_side)


def _small(gathered: Gathered, min_side: int) -> Iterator[Finding]:
    sizes = [(look.width, look.height) for look in gathered.looks]
    small = [n for n, size in enumerate(sizes) if max(size) < min_side]
    if len(small) * 2 > len(sizes):
        yield Finding(
            Kind.SMALL,
            f"{len(small):,} of {len(sizes):,} pictures have no side of {min_side} pixels",
            products=ids([gathered.pictured[n] for n in small[:5]]),
            count=len(small),
        )
        return
    for n in small:
        width, height = sizes[n]
        note = f"the picture has {width} x {height} pixels"
        yield Finding(Kind.SMALL, note, products=(gathered.pictured[n].id,))
