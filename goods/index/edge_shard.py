"""One shard of Qdrant Edge: made, loaded, and its failures and records in our words."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as edge

from goods.errors import IndexLockedError, IndexStoreError
from goods.index.contract import Contract
from goods.index.disk import LOCK_WAIT_S, disk_errors, require_room
from goods.index.edge_models import edge_config, edge_payload_index
from goods.index.generation import Generation
from goods.index.planner import Tuning
from goods.index.records import Found, Record, Vector


@dataclass(frozen=True, slots=True)
class OpenGeneration:
    """A generation whose shard is open."""

    generation: Generation
    contract: Contract
    shard: edge.EdgeShard
    tuning: Tuning

    def close(self) -> None:
        """Release the engine's files."""
        with engine_errors(self.generation.path):
            self.shard.close()


def make_generation(generation: Generation, contract: Contract) -> None:
    """Write an empty generation; it is there as a whole or not at all."""
    partial = generation.partial
    require_room(generation.path.parent)
    with engine_errors(partial.path), disk_errors(partial.path):
        partial.shard.mkdir(parents=True)
        config = edge_config(contract.dimension)
        shard = edge.EdgeShard.create(str(partial.shard), config)
        index_payload(shard, contract)
        shard.flush()
        shard.close()
        partial.write_contract(contract)
        partial.path.rename(generation.path)


def load_generation(
    generation: Generation,
    wait_s: float = LOCK_WAIT_S,
    remedy: str = "ingest again with --rebuild",
) -> OpenGeneration:
    """Open a generation; when it is damaged, `remedy` is what to do.

    Raises:
        IndexLockedError: Another process has it open for longer than `wait_s`.
        IndexStoreError: It is damaged, of another layout, or its disk is full.
    """
    contract = generation.read_contract()
    require_room(generation.path)
    give_up = time.monotonic() + wait_s
    while True:
        try:
            with engine_errors(generation.path):
                shard = edge.EdgeShard.load(str(generation.shard))
            return OpenGeneration(generation, contract, shard, generation.tuning())
        except IndexStoreError as error:
            if "WouldBlock" not in str(error):
                raise IndexStoreError(f"{error}; {remedy}") from error
            # the engine's own lock: a process that ends may let go of it after ours
            if time.monotonic() > give_up:
                raise IndexLockedError(
                    f"{generation.path} is open in another process; end it and try again"
                ) from error
        time.sleep(0.05)


def index_payload(shard: edge.EdgeShard, contract: Contract) -> None:
    """Payload indexes come before the first optimise: the graph links along indexed fields only."""
    for field in contract.indexed:
        params = edge_payload_index(field, contract.schema)
        shard.update(edge.UpdateOperation.create_field_index(field.name, params))


@contextmanager
def engine_errors(path: Path) -> Iterator[None]:
    """Turn the engine's errors into one sentence about the index at `path`."""
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:  # the engine raises nothing more specific
            raise
        raise IndexStoreError(f"the index in {path} failed: {error}") from error


def uuid_of(point_id: Any) -> UUID:
    """A point's id, in whichever form the engine gives it."""
    return point_id if isinstance(point_id, UUID) else UUID(str(point_id))


def record_of(record: edge.Record) -> Record:
    """What was read back."""
    return Record(uuid_of(record.id), record.payload or {}, _dense(record.vector))


def found_of(hit: edge.ScoredPoint) -> Found:
    """What a search found."""
    return Found(uuid_of(hit.id), hit.score, hit.payload or {}, _dense(hit.vector))


def _dense(vector: Any) -> Vector | None:
    return None if vector is None else np.asarray(vector, dtype=np.float32)
