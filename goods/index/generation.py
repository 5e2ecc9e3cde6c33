"""One generation of an embedded index: its contract, what was noted of it, its ledger."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from goods.durable import sync
from goods.errors import IndexStoreError
from goods.index.contract import Contract
from goods.index.disk import disk_errors, write_atomically
from goods.index.planner import TUNING_NOTE, Tuning
from goods.index.quantization import QUANTIZATION_NOTE, Quantization

GRAPH_NOTE = "graph"

PARTIAL = ".partial"
"""How the name of a generation in the making ends."""


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
        return Generation(self.path.with_suffix(PARTIAL))

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


def _as_text(contract: Contract) -> str:
    return json.dumps(contract.to_json(), indent=2)
