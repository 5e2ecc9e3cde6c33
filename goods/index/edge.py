"""The embedded index: Qdrant's own engine inside this process, in a folder.

Facts about Qdrant Edge 0.9 that shape it: updates are durable only after `flush`; nothing is
optimised by itself, and optimising holds the interpreter for its whole duration, so that it happens
in a process of its own (`goods.index.seal`); its errors are plain `Exception`.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import qdrant_edge as edge

from goods.index.conditions import Condition
from goods.index.contract import Contract, payload_selector, vector_selector
from goods.index.disk import LOCK_WAIT_S, require_room
from goods.index.edge_in_use import GenerationInUse
from goods.index.edge_models import (
    as_list,
    edge_filter,
    edge_order,
    edge_point,
    edge_search_params,
    edge_words,
)
from goods.index.edge_shard import found_of, record_of
from goods.index.planner import GRAPH_FROM, TUNED_NOTE, SearchMode, plan_search
from goods.index.quantization import QUANTIZATION_NOTE, Quantization
from goods.index.records import (
    FacetCount,
    Found,
    IndexInfo,
    Order,
    Point,
    Record,
    Vector,
    check_points,
)
from goods.index.words import WORDS, Words

UNINDEXED_SHARE = 0.1
"""Share of points outside the graph, scanned by every query, from which `seal` builds it anew."""


class EdgeIndex:
    """A `VectorIndex` in a folder, held by one process at a time.

    Args:
        folder: Where it is, or will be.
        wait_s: How long to wait for another process to let go of it.
    """

    streams = 1
    quantizations = tuple(Quantization)

    def __init__(self, folder: str | Path, *, wait_s: float = LOCK_WAIT_S) -> None:
        self.folder = Path(folder)
        self._in_use = GenerationInUse(self.folder, wait_s)
        self._writes = 0

    @property
    def contract(self) -> Contract:
        return self._in_use.get().contract

    def create(self, contract: Contract, *, rebuild: bool = False) -> None:
        self._in_use.create(contract, rebuild=rebuild)

    def upsert(self, points: Sequence[Point]) -> None:
        check_points(points, self.contract.dimension)
        if points:
            batch = [edge_point(p, self.contract.schema) for p in points]
            self._write(edge.UpdateOperation.upsert_points(batch))

    def delete(self, ids: Sequence[UUID]) -> None:
        if ids:
            self._write(edge.UpdateOperation.delete_points(list(ids)))

    def search(
        self,
        vector: Vector,
        limit: int,
        *,
        offset: int = 0,
        conditions: Sequence[Condition] = (),
        mode: SearchMode | None = None,
        with_vectors: bool = False,
    ) -> list[Found]:
        top = offset + limit
        if limit == 0:
            return []
        mode = mode or plan_search(
            conditions, top, lambda: self.count(conditions, exact=False), self._in_use.get().tuning
        )
        request = edge.QueryRequest(
            limit=limit,
            offset=offset,
            query=edge.Query.Nearest(as_list(vector)),
            filter=edge_filter(conditions),
            params=edge_search_params(mode, top),
            with_payload=True,
            with_vector=vector_selector(with_vectors),
        )
        with self._in_use.engine() as shard:
            return [found_of(hit) for hit in shard.query(request)]

    def search_words(
        self,
        words: Words,
        limit: int,
        *,
        conditions: Sequence[Condition] = (),
        with_vectors: bool = False,
    ) -> list[Found]:
        if limit == 0 or not words.places:
            return []
        request = edge.QueryRequest(
            limit=limit,
            query=edge.Query.Nearest(edge_words(words), using=WORDS),
            filter=edge_filter(conditions),
            with_payload=True,
            with_vector=vector_selector(with_vectors),
        )
        with self._in_use.engine() as shard:
            return [found_of(hit) for hit in shard.query(request)]

    def listed(
        self, limit: int, *, conditions: Sequence[Condition] = (), order: Order | None = None
    ) -> list[Record]:
        if limit == 0:
            return []
        request = edge.ScrollRequest(
            limit=limit,
            filter=edge_filter(conditions),
            order_by=edge_order(order),
            with_payload=True,
        )
        with self._in_use.engine() as shard:
            return [record_of(record) for record in shard.scroll(request)[0]]

    def fetch(
        self,
        ids: Sequence[UUID],
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> list[Record]:
        payload = payload_selector(keys)
        with self._in_use.engine() as shard:
            records = shard.retrieve(
                list(ids), with_payload=payload, with_vector=vector_selector(with_vectors)
            )
        return [record_of(record) for record in records]

    def count(self, conditions: Sequence[Condition] = (), *, exact: bool = True) -> int:
        with self._in_use.engine() as shard:
            if not conditions:  # counting them one by one takes 7 ms of 44,000
                return shard.info().points_count
            return shard.count(edge.CountRequest(exact=exact, filter=edge_filter(conditions)))

    def facet(
        self, field: str, conditions: Sequence[Condition] = (), *, limit: int = 100
    ) -> list[FacetCount]:
        request = edge.FacetRequest(field, limit=limit, exact=True, filter=edge_filter(conditions))
        with self._in_use.engine() as shard:
            return [FacetCount(hit.value, hit.count) for hit in shard.facet(request)]

    def scan(
        self,
        batch: int = 1000,
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> Iterator[Record]:
        start: UUID | int | str | None = None
        while True:
            request = edge.ScrollRequest(
                offset=start,
                limit=batch,
                with_payload=payload_selector(keys),
                with_vector=vector_selector(with_vectors),
            )
            with self._in_use.engine() as shard:
                records, start = shard.scroll(request)
            yield from map(record_of, records)
            if start is None:
                return

    def seal(self) -> None:
        info, wanted = self.info(), self._in_use.get().generation.quantization()
        is_behind = info.points - info.indexed > UNINDEXED_SHARE * info.points
        if info.points >= GRAPH_FROM and (is_behind or info.quantization is not wanted):
            self._in_use.seal()
        self._in_use.serve()

    def quantize(self, quantization: Quantization) -> None:
        self.write_note(QUANTIZATION_NOTE, quantization.to_note())

    def read_note(self, name: str) -> dict[str, Any] | None:
        return self._in_use.get().generation.read_note(name)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        self._in_use.write_note(name, note)
        self._writes += 1

    def read_ledger(self) -> bytes:
        return self._in_use.get().generation.read_ledger()

    def write_ledger(self, ledger: bytes) -> None:
        self._in_use.get().generation.write_ledger(ledger)

    def info(self) -> IndexInfo:
        opened = self._in_use.get()
        with self._in_use.engine() as shard:
            info = shard.info()
        graph = opened.generation.graph_size()
        return IndexInfo(
            address=str(self.folder),
            engine=f"Qdrant Edge {version('qdrant-edge-py')}",
            generation=opened.generation.path.name,
            points=info.points_count,
            indexed=graph.covers(info.points_count, info.indexed_vectors_count),
            quantization=(
                Quantization(graph.quantization)
                if graph.vectors
                else opened.generation.quantization()
            ),
            tuned=(self.read_note(TUNED_NOTE) or {}).get("points"),
            state=f"{opened.generation.path.name} {self._writes}",
            contract=opened.contract,
        )

    def close(self) -> None:
        self._in_use.close()

    def _write(self, operation: edge.UpdateOperation) -> None:
        require_room(self.folder)
        self._in_use.get().generation.drop_ledger()
        with self._in_use.engine() as shard:
            shard.update(operation)
            shard.flush()
        self._writes += 1
