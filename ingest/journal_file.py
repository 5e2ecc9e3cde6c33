"""The file of a journal: SQLite, opened, asked and written to safely from several threads."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from goods.errors import GoodsError
from goods.streams import batches

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


class JournalFile:
    """One open file with the tables of a journal.

    Args:
        path: The file, made when there is none; without one, it is temporary.

    Raises:
        GoodsError: The file cannot be opened, or is something else. So do all methods, when it
            cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
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

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """The answer to a question."""
        with self._lock, self._errors():
            return self._database.execute(question).fetchall()

    def rows_of(
        self, question: str, keys: Iterable[bytes], *before: str
    ) -> Iterator[tuple[Any, ...]]:
        """The rows whose key, with which the question ends, is among these.

        Args:
            question: Up to the name of the key's column.
            keys: Any number of them.
            before: What the question's own marks stand for.
        """
        for some in batches(keys, _AT_ONCE):
            marks = ",".join("?" * len(some))
            with self._lock, self._errors():
                rows = self._database.execute(f"{question} in ({marks})", (*before, *some))
                found = rows.fetchall()
            yield from found

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Writes that all happen, on the disk afterwards, or none of them."""
        with self._lock, self._errors():
            self._database.execute("begin immediate")
            try:
                yield self._database
                self._database.execute("commit")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("rollback")
                raise

    @property
    def size_bytes(self) -> int:
        """What its content takes."""
        pages, free, size = (
            self.rows(f"pragma {name}")[0][0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def shrink(self) -> None:
        """Give back the room of what was deleted."""
        with self._lock, self._errors():
            # as a script: `execute` frees no more than the first page
            self._database.executescript(
                "pragma incremental_vacuum; pragma wal_checkpoint(truncate);"
            )

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
