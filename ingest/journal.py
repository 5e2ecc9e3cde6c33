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

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from goods.errors import GoodsError
from goods.streams import batches

MAX_BYTES = 4_000_000_000
"""Size up to which nothing is thrown away: 1.7 million vectors of 512 numbers."""

VERSION = 1
"""Of the tables below."""

_AT_ONCE = 500  # keys in one question
_CACHE_BYTES = 64 << 20
"""Pages kept in memory. Keys are digests, so that any page may be next: of 300,000 rows, each found
in 3.0 us instead of 5.3 with SQLite's own 2 MB."""

_WAIT_S = 60  # for another process that is writing
_TABLES = """
create table if not exists vector (
    made_by text not null, digest blob not null, used integer not null, vector blob not null,
    primary key (made_by, digest));
create index if not exists vector_used on vector (used);
create table if not exists picture (
    location blob primary key, validator text not null, digest blob not null, used integer not null
    ) without rowid;
create table if not exists entry (
    row blob primary key, payload blob not null, used integer not null) without rowid;
"""

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
        used: When the last of them was written, in seconds since 1970.
    """

    made_by: str
    vectors: int
    used: int


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
        self.path = path
        self._max_bytes = max_bytes
        self._lock = RLock()
        with self._errors():
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path or "", timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

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
        with self._lock:
            self._database.close()

    def seen(self, locations: Iterable[str]) -> dict[str, Seen]:
        """The pictures among these that were read before, by location."""
        names = {_key(location): location for location in locations}
        found = self._rows("select location, validator, digest from picture where location", names)
        return {
            names[key]: Seen(names[key], validator, digest.hex())
            for key, validator, digest in found
        }

    def vectors(self, made_by: str, digests: Iterable[str]) -> dict[str, Vector]:
        """The vectors of these pictures that were made before, by digest."""
        keys = [bytes.fromhex(digest) for digest in digests]
        found = self._rows(
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
        with self._transaction() as database:
            database.executemany("insert or replace into vector values (?, ?, ?, ?)", made)
            database.executemany("insert or replace into picture values (?, ?, ?, ?)", read)

    def payloads(self, rows: Iterable[bytes]) -> dict[bytes, str]:
        """Digests of the payloads that these rows make, as far as they are known."""
        found = self._rows("select row, payload from entry where row", rows)
        return {row: payload.hex() for row, payload in found}

    def keep_payloads(self, payloads: Mapping[bytes, str]) -> None:
        """Write digests of payloads by their row; many at a time, in any order."""
        now = int(time.time())
        made = [(row, bytes.fromhex(payloads[row]), now) for row in sorted(payloads)]
        if made:
            with self._transaction() as database:
                database.executemany("insert or replace into entry values (?, ?, ?)", made)

    @property
    def size_bytes(self) -> int:
        """What its content takes."""
        with self._errors():
            pages, free, size = (
                self._database.execute(f"pragma {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    @property
    def pictures(self) -> int:
        """Pictures whose state it knows."""
        with self._errors():
            return int(self._database.execute("select count(*) from picture").fetchone()[0])

    def shares(self) -> list[Share]:
        """What it holds of each model, the latest first."""
        question = (
            "select made_by, count(*), max(used) as last from vector group by made_by "
            "order by last desc"
        )
        with self._errors():
            return [Share(*row) for row in self._database.execute(question)]

    def trim(self) -> int:
        """Forget the oldest entries until the file is small enough; how many vectors went."""
        gone = 0
        while self.size_bytes > self._max_bytes:
            with self._transaction() as database:
                went = database.execute(
                    "delete from vector where rowid in "
                    "(select rowid from vector order by used limit 10000)"
                ).rowcount
                if not went:
                    database.execute("delete from picture")
                    database.execute("delete from entry")
            gone += went
            if not went:
                break
        if gone:
            self._shrink()
        return gone

    def forget(self, made_by: str | None = None, before: float = np.inf) -> int:
        """Delete entries: of one model or all, written before a moment; how many vectors went.

        What is known of pictures and rows goes with the vectors of all models.
        """
        with self._transaction() as database:
            gone = database.execute(
                "delete from vector where used < ? and (made_by = ? or ? is null)",
                (before, made_by, made_by),
            ).rowcount
            if made_by is None:
                database.execute("delete from picture where used < ?", (before,))
                database.execute("delete from entry where used < ?", (before,))
        self._shrink()
        return gone

    def _prepare(self) -> None:
        execute = self._database.execute
        with self._errors():
            version = execute("pragma user_version").fetchone()[0]
            is_new = not execute("select count(*) from sqlite_master").fetchone()[0]
        if not is_new and version != VERSION:
            raise GoodsError(
                f"{self.path} is no journal of this version of goods; name another file with "
                "--journal, or delete it: all that is lost is work that can be done again"
            )
        with self._errors():
            execute("pragma page_size = 16384")  # seven vectors of 512 numbers, and little waste
            execute(f"pragma cache_size = {-_CACHE_BYTES // 1024}")
            execute("pragma auto_vacuum = incremental")
            execute("pragma journal_mode = wal")
            execute("pragma synchronous = full")  # or a power failure takes the last commits along
            self._database.executescript(_TABLES)
            execute(f"pragma user_version = {VERSION}")

    def _rows(
        self, question: str, keys: Iterable[bytes], *before: str
    ) -> Iterator[tuple[Any, ...]]:
        for some in batches(keys, _AT_ONCE):
            marks = ",".join("?" * len(some))
            with self._lock, self._errors():
                rows = self._database.execute(f"{question} in ({marks})", (*before, *some))
                found = rows.fetchall()
            yield from found

    def _shrink(self) -> None:
        with self._lock, self._errors():
            # as a script: `execute` frees no more than the first page
            self._database.executescript(
                "pragma incremental_vacuum; pragma wal_checkpoint(truncate);"
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            self._database.execute("begin immediate")
            try:
                yield self._database
                self._database.execute("commit")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("rollback")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the library's and the system's failures into one sentence."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise GoodsError(f"the journal {self.path} cannot be used: {_remedy(error)}") from error


def _remedy(error: Exception) -> str:
    if "full" in str(error) or "disk I/O" in str(error):
        return f"{error}; make room and run again: nothing that was written is lost"
    if "locked" in str(error):
        return (
            f"another process writes to it for more than {_WAIT_S} s; name another with --journal"
        )
    if "not a database" in str(error) or "malformed" in str(error):
        return f"{error}; delete it: all that is lost is work that can be done again"
    return f"{error}; name another file with --journal"


def _key(location: str) -> bytes:
    return blake2b(location.encode(), digest_size=16).digest()
