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

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from goods.durable import sync
from goods.errors import IndexStoreError
from goods.index.contract import Contract
from goods.index.disk import LOCK_WAIT_S, disk_errors, hold, write_atomically
from goods.index.planner import TUNING_NOTE, Tuning
from goods.index.quantization import QUANTIZATION_NOTE, Quantization

_NAME = re.compile(r"gen-(\d{4,})(-sealed)?")
_PARTIAL = ".partial"

GRAPH_NOTE = "graph"


@dataclass(frozen=True, slots=True)
class GraphSize:
    """What a graph covered when it was built.

    The engine tells one number of indexed vectors: those in the graph, and every point's words,
    which are indexed as soon as they are written. It takes none off when points go or change.

    Attributes:
        vectors: In the graph.
        words: Points whose words were indexed then.
        quantization: In which form it compares vectors.
    """

    vectors: int = 0
    words: int = 0
    quantization: str = Quantization.INT8

    @classmethod
    def of(cls, points: int, indexed: int, quantization: Quantization) -> Self:
        """From what the engine tells right after it was built."""
        return cls(indexed - points, points, quantization.value)

    def covers(self, points: int, indexed: int) -> int:
        """How many points are in the graph by now: all but those written since."""
        written = indexed - self.vectors - self.words
        return max(0, points - written) if self.vectors else 0


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete index inside the folder."""

    path: Path

    @property
    def number(self) -> int:
        """Position in the order of creation."""
        return int(self.path.name.split("-")[1])

    @property
    def is_copy(self) -> bool:
        """Whether it was made from another generation, by sealing it."""
        return self.path.name.endswith("-sealed")

    @property
    def partial(self) -> "Generation":
        """Where it is made, before it is renamed to its own path."""
        return Generation(self.path.with_suffix(_PARTIAL))

    @property
    def shard(self) -> Path:
        """The engine's own folder."""
        return self.path / "shard"

    def read_contract(self) -> Contract:
        """What its vectors are."""
        file = self.path / "contract.json"
        try:
            data = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise IndexStoreError(
                f"{file} cannot be read ({error}); ingest again with --rebuild"
            ) from error
        return Contract.from_json(data, str(self.path))

    def write_contract(self, contract: Contract) -> None:
        """Say what its vectors are."""
        write_atomically(self.path / "contract.json", _as_text(contract))

    def read_note(self, name: str) -> dict[str, Any] | None:
        """What was noted under this name; None when nothing was, or it can no longer be read."""
        try:
            data = json.loads(self._note(name).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return data if isinstance(data, dict) else None

    def graph_size(self) -> GraphSize:
        """What the graph covered when it was built."""
        note = self.read_note(GRAPH_NOTE)
        return GraphSize(**note) if note else GraphSize()

    def quantization(self) -> Quantization:
        """In which form its next graph compares vectors."""
        return Quantization.of(self.read_note(QUANTIZATION_NOTE))

    def tuning(self) -> Tuning:
        """How its searches are planned."""
        return Tuning.of(self.read_note(TUNING_NOTE))

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        """Note something under a name, in place of what was noted before."""
        write_atomically(self._note(name), json.dumps(note, indent=2))

    def read_ledger(self) -> bytes:
        """What `write_ledger` wrote; empty when it is not there."""
        try:
            return self._ledger.read_bytes()
        except OSError:
            return b""

    def write_ledger(self, ledger: bytes) -> None:
        """Keep it until `drop_ledger`."""
        write_atomically(self._ledger, ledger)

    def drop_ledger(self) -> None:
        """It is true no longer; gone for good when this returns."""
        with disk_errors(self._ledger):
            if self._ledger.exists():
                self._ledger.unlink()
                sync(self.path)

    @property
    def _ledger(self) -> Path:
        return self.path / "ledger"

    def _note(self, name: str) -> Path:
        return self.path / f"{name}.note.json"

    def is_under(self, contract: Contract) -> bool:
        """Whether its vectors are just what this contract says; of a damaged one they are not."""
        file = self.path / "contract.json"
        with disk_errors(file):
            return file.exists() and file.read_bytes() == _as_text(contract).encode()


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
        for path in self.folder.glob(f"gen-*{_PARTIAL}"):
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


def _as_text(contract: Contract) -> str:
    return json.dumps(contract.to_json(), indent=2)
