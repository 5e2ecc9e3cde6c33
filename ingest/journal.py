"""The journal: what was read and computed, on disk before it goes anywhere else.

One SQLite file holds

    vector    the vector of a picture, by what made it and by the digest of the picture's bytes
    picture   the state in which a picture was last read, by its location, and the digest it had
    entry     the digest of the payload that a row of a catalog makes (`ingest.unread`)

so that the same bytes are embedded once, whatever they are called and however often a run is
killed, and what has not been touched is not even read again, picture or row. Nothing else depends
on it: without its journal an index is whole, and the next run reads the pictures once more.

Size: 2.3 kB for a vector of 512 numbers, 100 bytes for a picture, 60 for a row.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.journal_file import JournalFile

MAX_BYTES = 4_000_000_000
"""Size up to which nothing is thrown away: 1.7 million vectors of 512 numbers."""

_FIRST = """
with every as (
    select used from vector union all select used from picture union all select used from entry)
select used from every order by used limit 1 offset (select count(*) / 20 from every)
"""
"""When the first twentieth of all that there is had been written; no row where there is nothing."""

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that was read.

    Attributes:
        location: Where it was.
        validator: What changes when the picture does, and costs less to ask for (`PictureLoader`).
        digest: Of its bytes, in hexadecimal.
    """

    location: str
    validator: str
    digest: str


@dataclass(frozen=True, slots=True)
class Share:
    """The vectors of one model.

    Attributes:
        made_by: Its stamp and number format.
        vectors: How many.
        written: When the last of them was, in seconds since 1970.
    """

    made_by: str
    vectors: int
    written: int


class Journal:
    """One journal file; safe to use from several threads and processes.

    Args:
        path: The file, made when there is none; without one, it is temporary.
        max_bytes: Size that `trim` keeps it below.

    Raises:
        GoodsError: The file cannot be opened, or is something else. So do all methods, when it
            cannot be read or written.
    """

    def __init__(self, path: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._file = JournalFile(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def seen(self, locations: Iterable[str]) -> dict[str, Seen]:
        """The pictures among these that were read before, by location."""
        names = {_key(location): location for location in locations}
        found = self._file.rows_of(
            "select location, validator, digest from picture where location", names
        )
        return {
            names[key]: Seen(names[key], validator, digest.hex())
            for key, validator, digest in found
        }

    def vectors(self, made_by: str, digests: Iterable[str]) -> dict[str, Vector]:
        """The vectors of these pictures that were made before, by digest."""
        keys = [bytes.fromhex(digest) for digest in digests]
        found = self._file.rows_of(
            "select digest, vector from vector where made_by = ? and digest", keys, made_by
        )
        return {digest.hex(): np.frombuffer(vector, "<f4") for digest, vector in found}

    def keep(
        self,
        made_by: str = "",
        vectors: Mapping[str, Vector] | None = None,
        seen: Iterable[Seen] = (),
    ) -> None:
        """Write vectors by digest, and pictures that were read; on the disk when this returns."""
        now = int(time.time())
        made = [
            (made_by, bytes.fromhex(digest), now, vector.astype("<f4").tobytes())
            for digest, vector in (vectors or {}).items()
        ]
        read = [(_key(s.location), s.validator, bytes.fromhex(s.digest), now) for s in seen]
        if not made and not read:
            return
        with self._file.transaction() as database:
            database.executemany("insert or replace into vector values (?, ?, ?, ?)", made)
            database.executemany("insert or replace into picture values (?, ?, ?, ?)", read)

    def payloads(self, rows: Iterable[bytes]) -> dict[bytes, str]:
        """Digests of the payloads that these rows make, as far as they are known."""
        found = self._file.rows_of("select row, payload from entry where row", rows)
        return {row: payload.hex() for row, payload in found}

    def keep_payloads(self, payloads: Mapping[bytes, str]) -> None:
        """Write digests of payloads by their row; many at a time, in any order."""
        now = int(time.time())
        made = [(row, bytes.fromhex(payloads[row]), now) for row in sorted(payloads)]
        if made:
            with self._file.transaction() as database:
                database.executemany("insert or replace into entry values (?, ?, ?)", made)

    @property
    def path(self) -> Path | None:
        """Its file; None for a temporary one."""
        return self._file.path

    @property
    def size_bytes(self) -> int:
        """What its content takes."""
        return self._file.size_bytes

    @property
    def pictures(self) -> int:
        """Pictures whose state it knows."""
        return int(self._file.rows("select count(*) from picture")[0][0])

    def shares(self) -> list[Share]:
        """What it holds of each model, the latest first."""
        question = (
            "select made_by, count(*), max(used) as last from vector group by made_by "
            "order by last desc"
        )
        return [Share(*row) for row in self._file.rows(question)]

    def trim(self) -> int:
        """Forget what was written first, of every kind, until the file is small enough.

        Returns how many vectors went.
        """
        gone = 0
        is_smaller = False
        while self.size_bytes > self._max_bytes and (first := self._file.rows(_FIRST)):
            gone += self._delete(first[0][0] + 1)
            is_smaller = True
        if is_smaller:
            self._file.shrink()
        return gone

    def forget(self, made_by: str | None = None, before: float = np.inf) -> int:
        """Delete entries: of one model or all, written before a moment; how many vectors went.

        What is known of pictures and rows goes with the vectors of all models.
        """
        gone = self._delete(before, made_by)
        self._file.shrink()
        return gone

    def _delete(self, before: float, made_by: str | None = None) -> int:
        with self._file.transaction() as database:
            gone = database.execute(
                "delete from vector where used < ? and (made_by = ? or ? is null)",
                (before, made_by, made_by),
            ).rowcount
            if made_by is None:
                database.execute("delete from picture where used < ?", (before,))
                database.execute("delete from entry where used < ?", (before,))
            return gone


def _key(location: str) -> bytes:
    return blake2b(location.encode(), digest_size=16).digest()
