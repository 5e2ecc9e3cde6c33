"""Standard input, kept so that it can be read again.

A pipe gives its bytes once; but a schema is inferred from the first rows before all of them are
read, and training reads a catalog several times. So what has come is kept in an unnamed temporary
file, which is gone when the process ends. Memory: one piece.
"""

import io
import sys
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NoReturn

from goods.errors import CatalogError
from goods.product import absolute_location

_PIECE_BYTES = 1 << 16


class Spool:
    """A stream as a source; owns the temporary file. Safe to use from several threads."""

    location = "standard input"
    name = "standard input"

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the spool
        self._length = 0
        self._has_ended = False
        self._lock = Lock()

    def __reduce__(self) -> NoReturn:
        raise CatalogError(
            "standard input can be read by one process alone; write it to a file for several"
        )

    def close(self) -> None:
        """Forget what was kept; a process that ends does so anyway."""
        self._kept.close()

    def open(self) -> io.RawIOBase:
        """See `goods.source.Source`."""
        return _Reading(self)

    def locate(self, reference: str) -> str:
        """See `goods.source.Source`; relative to the working folder."""
        return absolute_location(reference, Path.cwd())

    def read(self, start: int, most: int) -> bytes:
        """Some bytes from `start` on; none at the end."""
        with self._lock:
            while start >= self._length and not self._has_ended:
                piece = self._stream.read1(_PIECE_BYTES)  # type: ignore[attr-defined]  # buffered
                self._kept.seek(self._length)
                self._kept.write(piece)
                self._length += len(piece)
                self._has_ended = not piece
            self._kept.seek(start)
            return self._kept.read(most)


class _Reading(io.RawIOBase):
    """One pass over a spool."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool
        self._at = 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # any buffer
        """Some of the bytes that follow."""
        data = self._spool.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


@cache
def standard_input() -> Spool:
    """Standard input; the same one for all who ask.

    Raises:
        CatalogError: It is a terminal, or closed.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise CatalogError("standard input is closed; pipe JSON Lines into it")
    if sys.stdin.isatty():
        raise CatalogError(
            "- reads JSON Lines from standard input, which is a terminal: pipe them in, "
            "as in `cat shop.jsonl | goods schema -`"
        )
    return Spool(sys.stdin.buffer)
