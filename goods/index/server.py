"""The index on a Qdrant server or cluster: any number of processes may read it at once.

Nothing locks it: several may write at once, each its own products or all the same ones. Not run
against a live server: its tests talk to qdrant-client's local mode and to a stub that answers as
Qdrant's REST API is documented to.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient, models

from goods.errors import IndexMissingError, IndexStoreError
from goods.index import FacetCount, Found, IndexInfo, Order, Point, Record, Vector, check_points
from goods.index.conditions import Condition
from goods.index.contract import Contract, payload_selector, vector_selector
from goods.index.planner import TUNING_NOTE, SearchMode, Tuning, plan_search
from goods.index.quantization import QUANTIZATION_NOTE, Quantization
from goods.index.server_address import ServerAddress
from goods.index.server_calls import (
    OLDEST,
    Patience,
    check_version,
    retrying,
    server_errors,
)
from goods.index.server_collections import Collections, note_in
from goods.index.server_graph import build_graph
from goods.index.server_models import (
    offered,
    server_filter,
    server_order,
    server_point,
    server_search_params,
    server_words,
)
from goods.index.words import WORDS, Words


@dataclass(frozen=True, slots=True)
class _OpenCollection:
    """The collection that calls go to, by its own name: an alias may come to mean another model."""

    name: str
    contract: Contract
    tuning: Tuning


class ServerIndex:
    """A `VectorIndex` behind a URL.

    Args:
        client: A connected client.
        collection: The name people use.
        address: How to call it in messages.
        engine: What the server says it is.
        version: Its major and minor version.
        patience: How long to bear with it.
    """

    streams = 3

    def __init__(
        self,
        client: QdrantClient,
        collection: str,
        *,
        address: str,
        engine: str = "Qdrant",
        version: tuple[int, int] = OLDEST,
        patience: Patience | None = None,
    ) -> None:
        self.address = address
        self.quantizations = offered(version)
        self._client = client
        self._engine = engine
        self._patience = patience or Patience()
        self._collections = Collections(client, collection, address, self._patience)
        self._opened: _OpenCollection | None = None
        self._is_closed = False

    @classmethod
    def connect(
        cls,
        address: str,
        *,
        api_key: str | None,
        timeout_s: float,
        patience: Patience | None = None,
    ) -> "ServerIndex":
        """The index at `http(s)://host:6333/collection`, over gRPC when the host offers it.

        Raises:
            IndexStoreError: The server does not answer, or is too old.
        """
        where = ServerAddress.parse(address)
        patience = patience or Patience()
        client = QdrantClient(
            url=where.url,
            api_key=api_key,
            timeout=math.ceil(timeout_s),
            prefer_grpc=where.offers_grpc(),
            check_compatibility=False,  # it warns only; check_version decides
        )
        try:
            with server_errors(address):
                shown = retrying(patience)(client.info).version
            version = check_version(address, shown)
        except BaseException:
            client.close()
            raise
        return cls(
            client,
            where.collection,
            address=address,
            engine=f"Qdrant {shown}",
            version=version,
            patience=patience,
        )

    @property
    def contract(self) -> Contract:
        return self._require().contract

    def create(self, contract: Contract, *, rebuild: bool = False) -> None:
        self._check_not_closed()
        served = self._collections.claim()
        if served is not None and not rebuild:
            self._collections.adopt(served, contract)
            self._opened = self._open(served, contract)
            return
        physical = self._collections.begin(contract, served)
        self._collections.index_payload(physical, contract)
        self._opened = self._open(physical, contract)
        if served is None:
            self._collections.serve(physical)

    def upsert(self, points: Sequence[Point]) -> None:
        check_points(points, self.contract.dimension)
        if points:
            structs = [server_point(p, self.contract.schema) for p in points]
            self._collections.call(self._client.upsert, self._target, points=structs, wait=True)

    def delete(self, ids: Sequence[UUID]) -> None:
        if ids:
            selector = models.PointIdsList(points=[str(i) for i in ids])
            self._collections.call(
                self._client.delete, self._target, points_selector=selector, wait=True
            )

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
            conditions, top, lambda: self.count(conditions, exact=False), self._require().tuning
        )
        response = self._collections.call(
            self._client.query_points,
            self._target,
            query=vector.tolist(),
            query_filter=server_filter(conditions),
            search_params=server_search_params(mode, top),
            limit=limit,
            offset=offset,
            with_payload=True,
            with_vectors=vector_selector(with_vectors),
        )
        return list(map(_found, response.points))

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
        response = self._collections.call(
            self._client.query_points,
            self._target,
            query=server_words(words),
            using=WORDS,
            query_filter=server_filter(conditions),
            limit=limit,
            with_payload=True,
            with_vectors=vector_selector(with_vectors),
        )
        return list(map(_found, response.points))

    def listed(
        self, limit: int, *, conditions: Sequence[Condition] = (), order: Order | None = None
    ) -> list[Record]:
        if limit == 0:
            return []
        records, _ = self._collections.call(
            self._client.scroll,
            self._target,
            limit=limit,
            scroll_filter=server_filter(conditions),
            order_by=server_order(order),
            with_payload=True,
        )
        return list(map(_record, records))

    def fetch(
        self,
        ids: Sequence[UUID],
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> list[Record]:
        records = self._collections.call(
            self._client.retrieve,
            self._target,
            ids=[str(i) for i in ids],
            with_payload=payload_selector(keys),
            with_vectors=vector_selector(with_vectors),
        )
        return [_record(record) for record in records]

    def count(self, conditions: Sequence[Condition] = (), *, exact: bool = True) -> int:
        where = server_filter(conditions)
        return self._collections.call(
            self._client.count, self._target, count_filter=where, exact=exact
        ).count

    def facet(
        self, field: str, conditions: Sequence[Condition] = (), *, limit: int = 100
    ) -> list[FacetCount]:
        response = self._collections.call(
            self._client.facet,
            self._target,
            key=field,
            facet_filter=server_filter(conditions),
            limit=limit,
            exact=True,
        )
        return [FacetCount(_facet_value(hit.value), hit.count) for hit in response.hits]

    def scan(
        self,
        batch: int = 1000,
        *,
        with_vectors: bool = False,
        keys: Sequence[str] | None = None,
    ) -> Iterator[Record]:
        start: Any = None
        while True:
            records, start = self._collections.call(
                self._client.scroll,
                self._target,
                limit=batch,
                offset=start,
                with_payload=payload_selector(keys),
                with_vectors=vector_selector(with_vectors),
            )
            yield from map(_record, records)
            if start is None:
                return

    def seal(self) -> None:
        build_graph(self._collections, self._target, self._patience)
        self._collections.serve(self._target)

    def quantize(self, quantization: Quantization) -> None:
        self._collections.quantize(self._target, quantization)

    def read_note(self, name: str) -> dict[str, Any] | None:
        return self._collections.read_note(self._target, name)

    def write_note(self, name: str, note: Mapping[str, Any]) -> None:
        opened = self._require()
        self._collections.write_note(opened.name, name, note)
        self._opened = self._open(opened.name, opened.contract)

    def info(self) -> IndexInfo:
        opened = self._require()
        info = self._collections.call(self._client.get_collection, opened.name)
        points = info.points_count or 0
        with_words = info.indexed_vectors_count or 0  # every point's words count as indexed
        return IndexInfo(
            address=self.address,
            engine=self._engine,
            generation=opened.name,
            points=points,
            indexed=min(points, max(0, with_words - points)),
            quantization=Quantization.of(note_in(info.config.metadata or {}, QUANTIZATION_NOTE)),
            contract=opened.contract,
        )

    def close(self) -> None:
        self._is_closed = True
        self._client.close()

    @property
    def _target(self) -> str:
        return self._require().name

    def _require(self) -> _OpenCollection:
        """The collection in use; the one that is served when it is first asked for."""
        self._check_not_closed()
        if self._opened is None:
            served = self._collections.served()
            if served is None:
                raise IndexMissingError(
                    f"there is no collection {self._collections.name!r} at {self.address} yet; "
                    "make one with goods ingest"
                )
            self._opened = self._open(served, self._collections.read_contract(served))
        return self._opened

    def _open(self, name: str, contract: Contract) -> _OpenCollection:
        tuning = Tuning.of(self._collections.read_note(name, TUNING_NOTE))
        return _OpenCollection(name, contract, tuning)

    def _check_not_closed(self) -> None:
        if self._is_closed:
            raise IndexStoreError(f"the index at {self.address} was closed; open it again")


def _facet_value(value: str | int | bool) -> str | bool:
    return value if isinstance(value, bool) else str(value)


def _record(record: models.Record) -> Record:
    return Record(UUID(str(record.id)), record.payload or {}, _dense(record.vector))


def _found(hit: models.ScoredPoint) -> Found:
    return Found(UUID(str(hit.id)), hit.score, hit.payload or {}, _dense(hit.vector))


def _dense(vector: Any) -> Vector | None:
    if isinstance(vector, dict):  # asked for alone, it may come with its empty name or without
        vector = vector.get("")
    return None if vector is None else np.asarray(vector, dtype=np.float32)
