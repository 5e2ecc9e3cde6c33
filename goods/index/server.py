"""The index on a Qdrant server or cluster: any number of processes may read it at once.

Nothing locks it: several may write at once, each its own products or all the same ones. Not run
against a live server: its tests talk to qdrant-client's local mode and to a stub that answers as
Qdrant's REST API is documented to.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from qdrant_client import models

from goods.index.conditions import Condition
from goods.index.contract import Contract, payload_selector, vector_selector
from goods.index.planner import TUNED_NOTE, TUNING_NOTE, SearchMode, Tuning, plan_search
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
from goods.index.server_collections import Collections, note_in
from goods.index.server_connection import Connection
from goods.index.server_graph import build_graph
from goods.index.server_in_use import CollectionInUse
from goods.index.server_models import (
    facet_of,
    found_of,
    offered,
    record_of,
    server_filter,
    server_order,
    server_point,
    server_search_params,
    server_words,
)
from goods.index.words import WORDS, Words

T = TypeVar("T")


class ServerIndex:
    """A `VectorIndex` behind a URL.

    Args:
        connection: To the server, at the name people use.
    """

    streams = 3

    def __init__(self, connection: Connection) -> None:
        self.quantizations = offered(connection.version)
        self._connection = connection
        self._client = connection.client
        self._collections = Collections(connection)
        self._in_use = CollectionInUse(self._collections)

    @property
    def contract(self) -> Contract:
        return self._in_use.get().contract

    def create(self, contract: Contract, *, rebuild: bool = False) -> None:
        self._in_use.create(contract, rebuild=rebuild)

    def upsert(self, points: Sequence[Point]) -> None:
        check_points(points, self.contract.dimension)
        if points:
            structs = [server_point(p, self.contract.schema) for p in points]
            self._ask(self._client.upsert, points=structs, wait=True)

    def delete(self, ids: Sequence[UUID]) -> None:
        if ids:
            selector = models.PointIdsList(points=[str(i) for i in ids])
            self._ask(self._client.delete, points_selector=selector, wait=True)

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
        response = self._ask(
            self._client.query_points,
            query=vector.tolist(),
            query_filter=server_filter(conditions),
            search_params=server_search_params(mode, top),
            limit=limit,
            offset=offset,
            with_payload=True,
            with_vectors=vector_selector(with_vectors),
        )
        return list(map(found_of, response.points))

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
        response = self._ask(
            self._client.query_points,
            query=server_words(words),
            using=WORDS,
            query_filter=server_filter(conditions),
            limit=limit,
            with_payload=True,
            with_vectors=vector_selector(with_vectors),
        )
        return list(map(found_of, response.points))

    def listed(
        self, limit: int, *, conditions: Sequence[Condition] = (), order: Order | None = None
    ) -> list[Record]:
        if limit == 0:
            return []
        records, _ = self._ask(
            self._client.scroll,
            limit=limit,
            scroll_filter=server_filter(conditions),
            order_by=server_order(order),
            with_payload=True,
        )
        return list(map(record_of, records))

    def fetch(
        self,
        ids: Sequence[UUID],
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> list[Record]:
        records = self._ask(
            self._client.retrieve,
            ids=[str(i) for i in ids],
            with_payload=payload_selector(keys),
            with_vectors=vector_selector(with_vectors),
        )
        return list(map(record_of, records))

    def count(self, conditions: Sequence[Condition] = (), *, exact: bool = True) -> int:
        where = server_filter(conditions)
        return self._ask(self._client.count, count_filter=where, exact=exact).count

    def facet(
        self, field: str, conditions: Sequence[Condition] = (), *, limit: int = 100
    ) -> list[FacetCount]:
        response = self._ask(
            self._client.facet,
            key=field,
            facet_filter=server_filter(conditions),
            limit=limit,
            exact=True,
        )
        return list(map(facet_of, response.hits))

    def scan(
        self,
        batch: int = 1000,
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> Iterator[Record]:
        start: Any = None
        while True:
            records, start = self._ask(
                self._client.scroll,
                limit=batch,
                offset=start,
                with_payload=payload_selector(keys),
                with_vectors=vector_selector(with_vectors),
            )
            yield from map(record_of, records)
            if start is None:
                return

    def seal(self) -> None:
        build_graph(self._collections, self._target)
        self._collections.serve(self._target)
        self.write_note("sealed", {"at": time.time()})  # tells readers that it changed

    def quantize(self, quantization: Quantization) -> None:
        self._collections.quantize(self._target, quantization)

    def read_note(self, name: str) -> dict[str, Any] | None:
        return self._collections.read_note(self._target, name)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        self._in_use.write_note(name, note)

    def read_ledger(self) -> bytes:
        return b""

    def write_ledger(self, ledger: bytes) -> None:
        """Nothing: anybody may write to a server."""

    def info(self) -> IndexInfo:
        info = self._ask(self._client.get_collection)
        metadata = info.config.metadata or {}
        opened = self._in_use.tuned(Tuning.of(note_in(metadata, TUNING_NOTE)))
        points = info.points_count or 0
        with_words = info.indexed_vectors_count or 0  # every point's words count as indexed
        return IndexInfo(
            address=self._connection.address,
            engine=self._connection.engine,
            generation=opened.name,
            points=points,
            indexed=min(points, max(0, with_words - points)),
            quantization=Quantization.of(note_in(metadata, QUANTIZATION_NOTE)),
            tuned=(note_in(metadata, TUNED_NOTE) or {}).get("points"),
            state=f"{opened.name} {json.dumps(metadata, sort_keys=True)}",
            contract=opened.contract,
        )

    def close(self) -> None:
        self._in_use.close()
        self._client.close()

    def _ask(self, method: Callable[..., T], **arguments: Any) -> T:
        """The answer to one call about the collection in use."""
        return self._collections.call(method, self._target, **arguments)

    @property
    def _target(self) -> str:
        return self._in_use.get().name
