"""What an index holds and the catalog has no more."""

from collections.abc import Iterable, Iterator
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from goods.errors import GoodsError
from goods.index import VectorIndex
from goods.streams import batches
from ingest.settings import IngestSettings, Part

_AT_ONCE = 1000


class Present:
    """The points of a catalog, in 16 bytes each; 32 for those that an index has or gets.

    Args:
        held: How many points the index had, before this run wrote any.
    """

    def __init__(self, held: int) -> None:
        self._held = held
        self._ids = bytearray()
        self._found = bytearray()
        self._new = bytearray()

    def note(self, point: UUID) -> None:
        """The catalog has this one."""
        self._ids += point.bytes

    def note_found(self, points: Iterable[UUID]) -> None:
        """The catalog has these, and so had the index."""
        self._found += b"".join([point.bytes for point in points])

    def note_new(self, points: Iterable[UUID]) -> None:
        """The catalog has these, and the index gets them: found from now on, but not held."""
        self._new += b"".join([point.bytes for point in points])

    def missing(self, index: VectorIndex, part: Part) -> Iterator[UUID]:
        """The points of the index, within a part, that were not noted.

        It is read for them only where it had more than those that were found.
        """
        kept = np.setdiff1d(_as_array(self._found), _as_array(self._new))
        if part.is_whole and len(kept) == self._held:
            return
        here = np.sort(_as_array(self._ids))
        records = (record.id for record in index.scan(_AT_ONCE, keys=()) if part.has(record.id.int))
        for points in batches(records, _AT_ONCE):
            wanted = _as_array(b"".join(point.bytes for point in points))
            places = np.searchsorted(here, wanted)
            is_here = np.append(here, b"")[places] == wanted
            yield from (point for point, found in zip(points, is_here, strict=True) if not found)


def _as_array(ids: bytes | bytearray) -> NDArray[np.bytes_]:
    return np.frombuffer(bytes(ids), "S16")


def delete_gone(index: VectorIndex, present: Present, settings: IngestSettings) -> list[UUID]:
    """Delete the points that the catalog no longer has; which they were.

    Raises:
        GoodsError: They are more than the share `max_gone` of the index; none was deleted.
    """
    gone = list(present.missing(index, settings.part))
    total = index.count()
    if len(gone) * settings.part.of > settings.max_gone * total:
        raise GoodsError(
            f"{len(gone):,} of {total:,} products in the index are not in this catalog; "
            "nothing was deleted. Is this the whole catalog? If so, raise --max-gone"
        )
    for batch in batches(gone, _AT_ONCE):
        index.delete(batch)
    return gone
