"""Our conditions and settings in Qdrant Edge's words."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import qdrant_edge as edge

from goods.index.conditions import AnyOf, Condition, Exists, HasId, Not, Range, Scalar
from goods.index.planner import BUILD_EF, LINKS, SearchMode
from goods.index.quantization import Quantization
from goods.index.records import Order, Point, Vector
from goods.index.words import WORDS, Words, product_words
from goods.schema import CatalogSchema, Field, FieldKind


def edge_payload_index(
    field: Field, schema: CatalogSchema
) -> edge.KeywordIndexParams | edge.FloatIndexParams | edge.BoolIndexParams:
    """How a field is indexed.

    Building a graph writes products that are called alike ("women black dress") side by side, as
    the engine does with the points of one tenant: what looks alike and is filtered alike then
    shares cache lines. Of a million `clusters`, two fields that leave 4 % took 3.5 instead of 6.1
    ms (`benchmarks/engines.md`). Few fields, or no two products are called alike.
    """
    called = {*schema.phrase[:2], *schema.phrase[-1:]}
    match field.kind:
        case FieldKind.KEYWORD:
            return edge.KeywordIndexParams(is_tenant=field.name in called)
        case FieldKind.NUMBER:
            return edge.FloatIndexParams()
        case FieldKind.BOOLEAN:
            return edge.BoolIndexParams()


def edge_filter(conditions: Sequence[Condition]) -> edge.Filter | None:
    """The conditions as one filter, or None when there are none."""
    if not conditions:
        return None
    return edge.Filter(
        must=[_condition(c) for c in conditions if not isinstance(c, Not)],
        must_not=[_condition(c.condition) for c in conditions if isinstance(c, Not)],
    )


def _condition(
    condition: AnyOf | Range | Exists | HasId,
) -> "edge.ConditionType":  # a name of the stubs only
    match condition:
        case AnyOf(_, ()):
            return edge.HasIdCondition(set())  # nothing: an empty `should` would match everything
        case AnyOf(field, values):
            return edge.Filter(should=[_equals(field, value) for value in values])
        case Range(field, gt, gte, lt, lte):
            return edge.FieldCondition(field, range=edge.RangeFloat(gte, gt, lte, lt))
        case Exists(field):
            return edge.Filter(must_not=[edge.IsEmptyCondition(field)])
        case HasId(ids):
            return edge.HasIdCondition(set(ids))


def _equals(field: str, value: Scalar) -> edge.FieldCondition:
    if isinstance(value, bool):
        # the bindings read a plain bool as an integer, which matches nothing
        return edge.FieldCondition(field, match=edge.MatchValue(cast(bool, np.bool_(value))))
    if isinstance(value, str):
        return edge.FieldCondition(field, match=edge.MatchValue(value))
    return edge.FieldCondition(field, range=edge.RangeFloat(gte=value, lte=value))


def edge_search_params(mode: SearchMode, top: int) -> edge.SearchParams:
    """How to search for the best `top`."""
    if mode.is_exact:
        return edge.SearchParams(exact=True)
    oversampling = mode.oversampling(top)
    return edge.SearchParams(
        hnsw_ef=mode.ef,
        quantization=edge.QuantizationSearchParams(rescore=True, oversampling=oversampling),
        acorn=edge.AcornSearchParams(True, max_selectivity=1.0) if mode.use_acorn else None,
    )


def edge_point(point: Point, schema: CatalogSchema) -> edge.Point:
    """A point with its words."""
    words = edge_words(product_words(point.payload, schema))
    return edge.Point(point.id, {"": as_list(point.vector), WORDS: words}, point.payload)


def edge_words(words: Words) -> edge.SparseVector:
    """A sparse vector."""
    return edge.SparseVector(list(words.places), list(words.weights))


def edge_order(order: Order | None) -> edge.OrderBy | None:
    """By which number to list."""
    if order is None:
        return None
    return edge.OrderBy(
        order.field, edge.Direction.Desc if order.is_descending else edge.Direction.Asc
    )


def edge_config(dimension: int, quantization: Quantization = Quantization.NONE) -> edge.EdgeConfig:
    """A shard of cosine vectors and words, with quantised copies in memory once it has a graph."""
    return edge.EdgeConfig(
        vectors=edge.EdgeVectorParams(dimension, edge.Distance.Cosine),
        sparse_vectors={WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        hnsw_config=edge.HnswIndexConfig(LINKS, BUILD_EF, full_scan_threshold=10_000),
        quantization_config=_quantization(quantization),
        optimizers=edge.EdgeOptimizersConfig(
            indexing_threshold=1,  # in KB: whether a graph pays was decided before optimising
            default_segment_number=1,
        ),
    )


def _quantization(quantization: Quantization) -> "edge.QuantizationConfigType | None":
    turbo, pinned = edge.TurboQuantBitSize, edge.Memory.Pinned
    match quantization:
        case Quantization.NONE:
            return None
        case Quantization.INT8:
            return edge.ScalarQuantizationConfig(edge.ScalarType.Int8, 0.99, memory=pinned)
        case Quantization.TURBO4:
            return edge.TurboQuantQuantizationConfig(bits=turbo.Bits4, memory=pinned)
        case Quantization.TURBO2:
            return edge.TurboQuantQuantizationConfig(bits=turbo.Bits2, memory=pinned)
        case Quantization.TURBO1:
            return edge.TurboQuantQuantizationConfig(bits=turbo.Bits1, memory=pinned)
        case Quantization.BINARY:
            return edge.BinaryQuantizationConfig(memory=pinned)


def as_list(vector: Vector) -> list[float]:
    """The array itself: the bindings read arrays directly, though their types name only lists."""
    return cast(list[float], vector)
