"""What each point of an index was written from: most nights need not look at the index for more.

An embedded index keeps it in one file, 32 bytes a point: the id, and the digest of the row and of
its picture's state (`ingest.unread`). It throws the file away before anything is written, so that
one that is there is true, whoever wrote last and however a run ended. A server, which anybody may
write to, keeps none.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from goods.errors import IndexStoreError
from goods.index import VectorIndex

_NUMBERS = 4  # of 8 bytes: two of the point's id, two of the digest

_Rows = NDArray[np.uint64]


class Ledger:
    """What is known of an index, and what a run finds and does.

    Args:
        kept: What `to_bytes` made after the last run; empty when nothing is known.
    """

    def __init__(self, kept: bytes) -> None:
        self._rows = _rows(kept)  # in the order of the points' first numbers, each of them once
        self._firsts = np.ascontiguousarray(self._rows[:, 0])
        self._noted = bytearray()
        self._expected: dict[UUID, bytes | None] = {}

    def has(self, points: Sequence[UUID], states: Sequence[bytes | None]) -> list[bool]:
        """Which of these points were written from rows and pictures in these states."""
        if not len(self._rows):
            return [False] * len(points)
        wanted = _rows(_joined(zip(points, states, strict=True)))
        places = np.searchsorted(self._firsts, wanted[:, 0]).clip(max=len(self._rows) - 1)
        found: list[bool] = (self._rows[places] == wanted).all(axis=1).tolist()
        return found

    def note(self, point: UUID, state: bytes | None) -> None:
        """The index has what this state makes; None for a state that cannot be told."""
        self._noted += _joined([(point, state)])

    def expect(self, point: UUID, state: bytes | None) -> None:
        """It will, once the point is written."""
        self._expected[point] = state

    def note_written(self, points: Iterable[UUID]) -> None:
        """Points that were expected are written."""
        self._noted += _joined((point, self._expected.pop(point, None)) for point in points)

    def forget(self, points: Iterable[UUID]) -> None:
        """Points that are no longer there."""
        self._noted += _joined((point, None) for point in points)

    def to_bytes(self) -> bytes | None:
        """All of it, for the next run; None when nothing was noted."""
        if not self._noted:
            return None
        rows = np.concatenate([self._rows, _rows(bytes(self._noted))])
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        is_last = np.append(rows[1:, 0] != rows[:-1, 0], True)  # what was noted last counts
        return rows[is_last & rows[:, 2:].any(axis=1)].tobytes()

    def keep(self, index: VectorIndex) -> None:
        """Leave it with the index; a run that finds none there looks at the index itself."""
        kept = self.to_bytes()
        if kept is not None:
            with suppress(IndexStoreError):  # a full disk, say
                index.write_ledger(kept)


_UNKNOWN = bytes(16)


def _joined(rows: Iterable[tuple[UUID, bytes | None]]) -> bytes:
    return b"".join([point.bytes + (state or _UNKNOWN) for point, state in rows])


def _rows(data: bytes) -> _Rows:
    if len(data) % (8 * _NUMBERS):  # cut off, or something else
        data = b""
    return np.frombuffer(data, "<u8").reshape(-1, _NUMBERS)
