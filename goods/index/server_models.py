"""Our conditions and settings in the words of a Qdrant server, and its answers in ours."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from qdrant_client import models

from goods.index.conditions import AnyOf, Condition, Exists, HasId, Not, Range, Scalar
from goods.index.planner import BUILD_EF, LINKS, SearchMode
from goods.index.quantization import Quantization
from goods.index.records import FacetCount, Found, Order, Point, Record, Vector
from goods.index.words import WORDS, Words, product_words
from goods.schema import CatalogSchema, FieldKind

PAYLOAD_INDEX = {
    FieldKind.KEYWORD: models.PayloadSchemaType.KEYWORD,
    FieldKind.NUMBER: models.PayloadSchemaType.FLOAT,
    FieldKind.BOOLEAN: models.PayloadSchemaType.BOOL,
}

GRAPH = models.HnswConfigDiff(m=LINKS, ef_construct=BUILD_EF)
NO_GRAPH = models.HnswConfigDiff(m=0)  # while a bulk load runs


def _turbo(bits: models.TurboQuantBitSize) -> models.TurboQuantization:
    return models.TurboQuantization(
        turbo=models.TurboQuantQuantizationConfig(bits=bits, always_ram=True)
    )


INT8 = models.ScalarQuantization(
    scalar=models.ScalarQuantizationConfig(
        type=models.ScalarType.INT8, quantile=0.99, always_ram=True
    )
)

QUANTIZATION: dict[Quantization, models.QuantizationConfigDiff] = {
    Quantization.NONE: models.Disabled.DISABLED,
    Quantization.INT8: INT8,
    Quantization.TURBO4: _turbo(models.TurboQuantBitSize.BITS4),
    Quantization.TURBO2: _turbo(models.TurboQuantBitSize.BITS2),
    Quantization.TURBO1: _turbo(models.TurboQuantBitSize.BITS1),
    Quantization.BINARY: models.BinaryQuantization(
        binary=models.BinaryQuantizationConfig(always_ram=True)
    ),
}

_TURBO_SINCE = (1, 18)


def offered(version: tuple[int, int]) -> tuple[Quantization, ...]:
    """The quantisations that a server of this version has."""
    return tuple(
        q
        for q, config in QUANTIZATION.items()
        if version >= _TURBO_SINCE or not isinstance(config, models.TurboQuantization)
    )


BM25 = {WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)}

STRICT = models.StrictModeConfig(
    enabled=True,
    unindexed_filtering_retrieve=False,  # a forgotten payload index is an error, not a slow query
    search_allow_exact=True,  # the planner chooses exact scans where they are right
)


def server_filter(conditions: Sequence[Condition]) -> models.Filter | None:
    """The conditions as one filter, or None when there are none."""
    if not conditions:
        return None
    return models.Filter(
        must=[_condition(c) for c in conditions if not isinstance(c, Not)] or None,
        must_not=[_condition(c.condition) for c in conditions if isinstance(c, Not)] or None,
    )


def _condition(condition: AnyOf | Range | Exists | HasId) -> models.Condition:
    match condition:
        case AnyOf(_, ()):
            return models.HasIdCondition(has_id=[])  # nothing: an empty `should` matches everything
        case AnyOf(field, values):
            return models.Filter(should=[_equals(field, value) for value in values])
        case Range(field, gt, gte, lt, lte):
            return models.FieldCondition(
                key=field, range=models.Range(gt=gt, gte=gte, lt=lt, lte=lte)
            )
        case Exists(field):
            empty = models.IsEmptyCondition(is_empty=models.PayloadField(key=field))
            return models.Filter(must_not=[empty])
        case HasId(ids):
            return models.HasIdCondition(has_id=list(ids))


def _equals(field: str, value: Scalar) -> models.FieldCondition:
    if isinstance(value, str | bool):
        return models.FieldCondition(key=field, match=models.MatchValue(value=value))
    return models.FieldCondition(key=field, range=models.Range(gte=value, lte=value))


def server_point(point: Point, schema: CatalogSchema) -> models.PointStruct:
    """A point with its words."""
    words = server_words(product_words(point.payload, schema))
    vectors: dict[str, models.Vector] = {"": point.vector.tolist(), WORDS: words}
    return models.PointStruct(id=str(point.id), vector=vectors, payload=point.payload)


def server_words(words: Words) -> models.SparseVector:
    """A sparse vector."""
    return models.SparseVector(indices=list(words.places), values=list(words.weights))


def server_order(order: Order | None) -> models.OrderBy | None:
    """By which number to list."""
    if order is None:
        return None
    direction = models.Direction.DESC if order.is_descending else models.Direction.ASC
    return models.OrderBy(key=order.field, direction=direction)


def server_search_params(mode: SearchMode, top: int) -> models.SearchParams:
    """How to search for the best `top`."""
    if mode.is_exact:
        return models.SearchParams(exact=True)
    oversampling = mode.oversampling(top)
    acorn = models.AcornSearchParams(enable=True, max_selectivity=1) if mode.use_acorn else None
    return models.SearchParams(
        hnsw_ef=mode.ef,
        quantization=models.QuantizationSearchParams(rescore=True, oversampling=oversampling),
        acorn=acorn,
    )


def facet_of(hit: models.FacetValueHit) -> FacetCount:
    """How many points have a value."""
    return FacetCount(hit.value if isinstance(hit.value, bool) else str(hit.value), hit.count)


def record_of(record: models.Record) -> Record:
    """What was read back."""
    return Record(UUID(str(record.id)), record.payload or {}, _dense(record.vector))


def found_of(hit: models.ScoredPoint) -> Found:
    """What a search found."""
    return Found(UUID(str(hit.id)), hit.score, hit.payload or {}, _dense(hit.vector))


def _dense(vector: Any) -> Vector | None:
    if isinstance(vector, dict):  # asked for alone, it may come with its empty name or without
        vector = vector.get("")
    return None if vector is None else np.asarray(vector, dtype=np.float32)
