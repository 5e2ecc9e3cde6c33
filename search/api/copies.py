"""Private copies of an embedded index, so that it can be served while `goods ingest` has it.

An embedded index is open in one process at a time. The service takes the folder's lock only to copy
the generation that is served, and opens the copy. A copy is a folder of its own,

    goods-serve-xxxxxxxx/       below the system's temporary folder, or --copies
        OWNER                   locked by the service as long as it lives
        1/  2/ …                indexes: CURRENT and one generation

so that what a killed service leaves behind can be told, and is removed by the next one.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from goods.errors import IndexLockedError, IndexMissingError
from goods.index.disk import disk_errors, require_room, write_atomically
from goods.index.generation import Generation
from goods.index.generations import Generations

_PREFIX = "goods-serve-"
_CHUNK = 16 << 20  # bytes copied at a time


@dataclass(frozen=True, slots=True)
class Sign:
    """What changes with what an index holds.

    Attributes:
        generation: The generation that is served.
        files: Of the files that every write goes through, time and size: the log's position, the
            lists of ids and segments, the contract and the notes. Opening an index and closing it
            again changes other files, and none of these.
    """

    generation: str
    files: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, generation: Generation) -> "Sign":
        """The sign of a generation that nobody writes to at the moment."""
        watched = [
            *generation.path.glob("*.json"),
            generation.shard / "wal" / "first-index",
            *generation.shard.glob("segments/*/*id_tracker*"),
        ]
        found = [(path, path.stat()) for path in sorted(watched) if path.exists()]
        segments = sorted(path.name for path in generation.shard.glob("segments/*"))
        return cls(
            generation.path.name,
            (
                *((name, 0, 0) for name in segments),
                *((str(path), s.st_mtime_ns, s.st_size) for path, s in found),
            ),
        )


class CopyingFolder:
    """The private copies of one service; removed when it is closed.

    Args:
        parent: Where to make the folder; the system's temporary folder if None.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent or Path(tempfile.gettempdir())
        self._path: Path | None = None
        self._owner: IO[str] | None = None
        self._count = 0

    def new(self) -> Path:
        """Where the next copy goes; it does not exist yet.

        Raises:
            IndexStoreError: The parent folder cannot be used.
        """
        if self._path is None:
            with disk_errors(self._parent):
                self._parent.mkdir(parents=True, exist_ok=True)
                _remove_orphans(self._parent)
                path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))  # ours alone: 0700
                self._owner = (path / "OWNER").open("w", encoding="utf-8")
                fcntl.flock(self._owner, fcntl.LOCK_EX)
            self._path = path
        self._count += 1
        return self._path / str(self._count)

    def close(self) -> None:
        """Remove all copies."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
        if self._owner is not None:
            self._owner.close()
        self._path = self._owner = None


class Watched:
    """An embedded index in somebody else's hands: tells when it changed, and copies it.

    Every process that opens the folder writes its name into LOCK. As long as that text stays as we
    left it, nobody was there; otherwise the lock is taken, and the index looked at more closely.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._left: tuple[str, int] | None = None
        self._sign: Sign | None = None

    def copy(self, place: Callable[[], Path]) -> Path | None:
        """A copy of the current generation at a new place; None if it is as the last time.

        Raises:
            IndexLockedError: Somebody has it open.
            IndexMissingError: There is none.
            IndexStoreError: It cannot be read, or copied for want of room.
        """
        if not self.folder.is_dir():
            raise IndexMissingError(
                f"there is no index in {self.folder} yet; make one with goods ingest"
            )
        if self._left is not None and self._left == self._seen():
            return None
        to: Path | None = None
        with closing(Generations(self.folder, wait_s=0)) as generations:
            current = generations.current()
            if current is None:
                raise IndexMissingError(
                    f"there is no index in {self.folder} yet; make one with goods ingest"
                )
            left = self._seen()
            sign = Sign.of(current)
            if sign != self._sign:
                to = place()
                _copy_generation(current, to)
        self._left, self._sign = left, sign
        return to

    def forget(self) -> None:
        """Copy it the next time, whether or not it changed."""
        self._left = self._sign = None

    def _seen(self) -> tuple[str, int] | None:
        lock = self.folder / "LOCK"
        try:
            return lock.read_text("utf-8", errors="replace"), lock.stat().st_mtime_ns
        except OSError:
            return None


def is_busy(error: Exception) -> bool:
    """Whether waiting helps: somebody writes to the index, or has not made it yet."""
    return isinstance(error, IndexLockedError | IndexMissingError)


def _copy_generation(generation: Generation, to: Path) -> None:
    size_bytes = sum(p.stat().st_blocks * 512 for p in generation.path.rglob("*") if p.is_file())
    require_room(to.parent, size_bytes)
    partial = to.with_suffix(".partial")
    with disk_errors(to):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        shutil.copytree(
            generation.path, partial / generation.path.name, copy_function=_copy_sparsely
        )
        write_atomically(partial / "CURRENT", generation.path.name + "\n")
        partial.rename(to)


def _copy_sparsely(source: str, target: str) -> str:
    """Copy what is written of a file: the engine's log alone reserves 32 MiB for a few bytes."""
    with Path(source).open("rb", 0) as reader, Path(target).open("wb", 0) as writer:
        size = os.fstat(reader.fileno()).st_size
        writer.truncate(size)
        place = 0
        while place < size:
            try:
                place = os.lseek(reader.fileno(), place, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing but a hole up to the end
                break
            end = os.lseek(reader.fileno(), place, os.SEEK_HOLE)
            reader.seek(place)
            writer.seek(place)
            while place < end and (chunk := reader.read(min(_CHUNK, end - place))):
                writer.write(chunk)
                place += len(chunk)
    return target


def _remove_orphans(place: Path) -> None:
    """Remove what services that are no more have left here."""
    for folder in place.glob(f"{_PREFIX}*"):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            continue
        try:
            with (folder / "OWNER").open("r+", encoding="utf-8") as owner:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # locked: it is in use
            continue
