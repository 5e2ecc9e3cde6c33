"""Products as an index holds them, without a model: random unit vectors and their payloads."""

from dataclasses import replace

import numpy as np

from goods.index import Contract, Point
from goods.product import point_id
from goods.schema import CatalogSchema, Field, FieldKind

COLOURS = ("Red", "Green", "Blue")
SCHEMA = CatalogSchema(
    id="id",
    picture="image",
    fields=(
        Field("colour", FieldKind.KEYWORD, "colour"),
        Field("tags", FieldKind.KEYWORD, "tags"),
        Field("price_2", FieldKind.NUMBER, "price"),
        Field("in-stock", FieldKind.BOOLEAN, "in_stock"),
    ),
)
CONTRACT = Contract(dimension=8, model="tiny", stamp="stamp-1", schema=SCHEMA)


def points(count: int, first: int = 0) -> list[Point]:
    """Points that are always the same for the same numbers."""
    return [point(number) for number in range(first, first + count)]


def point(number: int) -> Point:
    """One point; each fifth has no price."""
    vector = np.random.default_rng(number).normal(size=8).astype(np.float32)
    payload: dict[str, object] = {
        "id": f"p{number}",
        "picture": f"/pictures/{number}.jpg",
        "colour": COLOURS[number % 3],
        "tags": ["new", "sale"] if number % 2 else ["sale"],
        "price_2": float(number),
        "in-stock": number % 4 != 0,
        "goods": {"picture": "a", "payload": "b"},
    }
    if number % 5 == 0:
        del payload["price_2"]
    return Point(point_id(f"p{number}"), vector / np.linalg.norm(vector), payload)


WIDE = 1024
"""Numbers per vector with which 2,600 points (10 MB) are enough for the engine to use a graph."""


def widened(narrow: list[Point]) -> list[Point]:
    """The same points in `WIDE` dimensions, with the same cosines."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDE, 8)))[0].astype(np.float32)
    return [replace(p, vector=basis @ p.vector) for p in narrow]
