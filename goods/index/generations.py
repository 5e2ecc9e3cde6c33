"""The folder of an embedded index: generations, a pointer to the one that is served, a lock.

    index/
        LOCK                held by the one process that has the folder open; says who
        CURRENT             name of the generation that is served, replaced atomically
        gen-0001/           a generation written point by point
            contract.json
            <name>.note.json    what was measured on it and is kept with it
            ledger              what its points were written from; dropped before any is written
            shard/          the engine's own files
        gen-0002-sealed/    a copy of a generation, with a graph
        gen-0003.partial/   a copy in the making

Beside the one that CURRENT names, only a newer one that is no copy is worth keeping: a rebuild that
did not end.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from goods.errors import IndexStoreError
from goods.index.disk import LOCK_WAIT_S, disk_errors, hold, write_atomically
from goods.index.generation import PARTIAL, Generation

_NAME = re.compile(r"gen-(\d{4,})(-sealed)?")


class Generations:
    """The generations in one folder, held by this process until `close`.

    Raises:
        IndexLockedError: Another process holds the folder for longer than `wait_s`.
        IndexStoreError: The folder cannot be used.
    """

    def __init__(self, folder: Path, wait_s: float = LOCK_WAIT_S) -> None:
        self.folder = folder
        self._wait_s = wait_s
        self._lock: IO[str] | None = None
        with disk_errors(folder):
            if folder.exists() and not folder.is_dir():
                raise IndexStoreError(f"{folder} is a file; an embedded index is a folder")
        self.hold()

    def hold(self) -> None:
        """Hold the folder, if there is one by now."""
        if self._lock is None and self.folder.is_dir():
            self._lock = hold(self.folder / "LOCK", self._wait_s)

    def make_folder(self) -> None:
        """Create the folder, and hold it, before the first write."""
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self.hold()

    def current(self) -> Generation | None:
        """The generation that is served.

        Raises:
            IndexStoreError: CURRENT names none that is there.
        """
        pointer = self.folder / "CURRENT"
        if not pointer.exists():
            return None
        with disk_errors(pointer):
            name = pointer.read_text("utf-8", errors="replace").strip()
        generation = Generation(self.folder / name)
        if not _NAME.fullmatch(name) or not generation.path.is_dir():
            raise IndexStoreError(
                f"{pointer} names {name!r}, which is not there; "
                "restore it, or delete the folder and ingest again"
            )
        return generation

    def unfinished(self) -> Generation | None:
        """The newest generation after the current one, begun by a rebuild that did not end."""
        current = self.current()
        first = current.number + 1 if current else 0
        begun = [g for g in self._all() if g.number >= first and not g.is_copy]
        return max(begun, key=lambda g: g.number, default=None)

    def next(self, *, is_copy: bool = False) -> Generation:
        """The one after all that are there; it does not exist yet."""
        number = max((generation.number for generation in self._all()), default=0) + 1
        return Generation(self.folder / f"gen-{number:04d}{'-sealed' if is_copy else ''}")

    def serve(self, generation: Generation) -> None:
        """Make this the current generation in one step, and remove what it replaces."""
        write_atomically(self.folder / "CURRENT", generation.path.name + "\n")
        self.prune()

    def prune(self) -> None:
        """Remove what no reader or writer needs any more."""
        for path in self.folder.glob(f"gen-*{PARTIAL}"):
            shutil.rmtree(path, ignore_errors=True)
        if current := self.current():
            for generation in self._all():
                if generation.number < current.number or (
                    generation.is_copy and generation != current
                ):
                    shutil.rmtree(generation.path, ignore_errors=True)

    def discard(self, generation: Generation) -> None:
        """Remove a generation that will never be served."""
        with disk_errors(generation.path):
            shutil.rmtree(generation.path)

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _all(self) -> Iterator[Generation]:
        return (Generation(path) for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
