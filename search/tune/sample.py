"""Queries for measuring: pictures and titles of products spread over an index."""

from itertools import islice

import numpy as np

from goods.errors import GoodsError
from goods.index import Record, Vector, VectorIndex
from goods.index.contract import product_of
from goods.schema import CatalogSchema
from model.captions import said_of
from model.encoder import Encoder
from search.tune.trials import Probe

_NOISE = 0.1  # length of what is added to a picture's vector, so that it is not its own best hit


def sample_queries(index: VectorIndex, encoder: Encoder, count: int) -> list[Probe]:
    """`count` queries: products' pictures with a little noise, and titles, half and half.

    Ids are hashes, so the first products in their order are a fair sample.

    Raises:
        GoodsError: The index is empty.
    """
    records = list(islice(index.scan(count, with_vectors=True), count))
    if not records:
        raise GoodsError("the index is empty; ingest a catalog first")
    schema, chance = index.contract.schema, np.random.default_rng(0)
    pictures, others = records[::2], records[1::2]
    texts = encoder.texts([_text(record, schema) for record in others])
    noisy = [Probe(_noisy(r.vector, chance), r.payload) for r in pictures if r.vector is not None]
    said = [Probe(text, r.payload) for text, r in zip(texts, others, strict=True)]
    return [*noisy, *said]


def _text(record: Record, schema: CatalogSchema) -> str:
    """Its title, or what else it is called."""
    return next(iter(said_of(product_of(record.payload, schema), schema)), record.payload["id"])


def _noisy(vector: Vector, chance: np.random.Generator) -> Vector:
    noise = chance.normal(size=vector.shape)
    moved = vector + _NOISE * noise / np.linalg.norm(noise)
    return (moved / np.linalg.norm(moved)).astype(np.float32)
