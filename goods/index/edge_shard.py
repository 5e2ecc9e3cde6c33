"""One shard of Qdrant Edge: made, loaded, and its failures and records in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import numpy as np
import qdrant_edge as edge

from goods.errors import GoodsError, IndexStoreError
from goods.index import Record, Vector
from goods.index.contract import Contract
from goods.index.disk import disk_errors, require_room
from goods.index.edge_models import PAYLOAD_INDEX, edge_config
from goods.index.generations import Generation


@dataclass(frozen=True, slots=True)
class OpenGeneration:
    """A generation whose shard is open."""

    generation: Generation
    contract: Contract
    shard: edge.EdgeShard

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
        config = edge_config(contract.dimension, with_graph=False)
        shard = edge.EdgeShard.create(str(partial.shard), config)
        index_payload(shard, contract)
        shard.flush()
        shard.close()
        partial.write_contract(contract)
        partial.path.rename(generation.path)


def load_generation(generation: Generation) -> OpenGeneration:
    """Open a generation.

    Raises:
        IndexStoreError: It is damaged, of another layout, or its disk is full.
    """
    contract = generation.read_contract()
    require_room(generation.path)
    try:
        with engine_errors(generation.path):
            shard = edge.EdgeShard.load(str(generation.shard))
    except IndexStoreError as error:
        raise IndexStoreError(
            f"{error}; make the index anew with goods ingest --rebuild"
        ) from error
    return OpenGeneration(generation, contract, shard)


def index_payload(shard: edge.EdgeShard, contract: Contract) -> None:
    """Payload indexes come before the first optimise: the graph links along indexed fields only."""
    for field in contract.schema.fields:
        params = PAYLOAD_INDEX[field.kind]()
        shard.update(edge.UpdateOperation.create_field_index(field.name, params))


@contextmanager
def engine_errors(path: Path) -> Iterator[None]:
    """Turn the engine's errors into one sentence about the index at `path`."""
    try:
        yield
    except GoodsError:
        raise
    except Exception as error:
        if type(error) is not Exception:  # the engine raises nothing more specific
            raise
        raise IndexStoreError(f"the index in {path} failed: {error}") from error


def as_list(vector: Vector) -> list[float]:
    """The array itself: the bindings read arrays directly, though their types name only lists."""
    return cast(list[float], vector)


def uuid_of(point_id: Any) -> UUID:
    """A point's id, in whichever form the engine gives it."""
    return point_id if isinstance(point_id, UUID) else UUID(str(point_id))


def record_of(record: edge.Record) -> Record:
    """What was read back."""
    vector = None if record.vector is None else np.asarray(record.vector, dtype=np.float32)
    return Record(uuid_of(record.id), record.payload or {}, vector)
