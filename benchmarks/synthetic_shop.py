"""A synthetic catalog of any size, and filters of every shape with the rows they let pass.

24 categories in 46 colours, each pair a cluster of vectors of 512 numbers. Around its middle a
cluster is as wide in direction i as 1 / i in variance, which gives the neighbourhood of a product
16 dimensions at 44,440 rows; that of as many photographs has 9 with a small model trained on a
seventh of them (`neighbourhoods.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goods.index import AnyOf, Condition, Not, Point, Range
from goods.product import point_id
from goods.schema import CatalogSchema, Field, FieldKind

DIMENSION = 512
CATEGORIES = (0.2, 0.1, 0.01, *(0.69 / 21,) * 21)
COLOURS = (0.2, 0.005, *(0.795 / 44,) * 44)
SPREAD = 0.7  # of a product around its cluster, about as long beside a middle of length 1
BATCH = 1000

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Shop:
    """The catalog as columns; the same for the same number of rows."""

    vectors: NDArray[np.float32]
    middles: NDArray[np.float32]
    category: NDArray[np.int64]
    colour: NDArray[np.int64]
    price: NDArray[np.float64]

    @classmethod
    def of(cls, rows: int, file: Path) -> "Shop":
        """Drawn, or read from the file that an earlier call wrote."""
        chance = np.random.default_rng(0)
        category = chance.choice(len(CATEGORIES), rows, p=CATEGORIES)
        colour = chance.choice(len(COLOURS), rows, p=COLOURS)
        price = np.round(chance.gamma(2, 20, rows) + 5, 2)
        kinds = chance.normal(size=(len(CATEGORIES), 1, DIMENSION))
        shades = chance.normal(size=(1, len(COLOURS), DIMENSION))
        middles = unit(kinds + 0.7 * shades).reshape(-1, DIMENSION)
        if not file.exists():
            _draw(file, middles[category * len(COLOURS) + colour], chance)
        return cls(np.load(file, mmap_mode="r"), middles, category, colour, price)


def _draw(file: Path, near: NDArray[np.float32], chance: np.random.Generator) -> None:
    directions, _ = np.linalg.qr(chance.normal(size=(DIMENSION, DIMENSION)))
    wide = np.arange(1, DIMENSION + 1) ** -0.5
    spread = (SPREAD * wide[:, None] / np.linalg.norm(wide) * directions).astype(np.float32)
    vectors = np.lib.format.open_memmap(file, "w+", np.float32, near.shape)
    for start in range(0, len(near), 50_000):
        part = near[start : start + 50_000]
        noise = chance.normal(size=part.shape).astype(np.float32)
        vectors[start : start + 50_000] = unit(part + noise @ spread)
    vectors.flush()


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """The same rows, each of length 1."""
    found: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(
        np.float32
    )
    return found


@dataclass(frozen=True)
class Demand:
    """A filter: for the index, for SQL, and the rows that hold to it."""

    shape: str
    conditions: tuple[Condition, ...]
    sql: str
    matches: Rows


def demands(shop: Shop, category: int) -> Iterator[Demand]:
    """Every shape of filter, for a query from this category."""
    a, b = shop.category, shop.colour
    low, high = 20.0, 40.0

    def equal(field: str, number: int) -> AnyOf:
        return AnyOf(field, (f"{field} {number}",))

    everything = np.arange(len(a))
    yield Demand("none", (), "", everything)
    for number, share in enumerate(("20 %", "10 %", "1 %")):
        where = f"category = 'category {number}'"
        rows = np.flatnonzero(a == number)
        yield Demand(f"one value, {share}", (equal("category", number),), where, rows)
    for shade, share in enumerate(("4 %", ".1 %")):
        where = f"category = 'category 0' AND colour = 'colour {shade}'"
        both = (equal("category", 0), equal("colour", shade))
        rows = np.flatnonzero((a == 0) & (b == shade))
        yield Demand(f"two fields, {share}", both, where, rows)
    where = f"price >= {low} AND price <= {high}"
    rows = np.flatnonzero((shop.price >= low) & (shop.price <= high))
    yield Demand("range", (Range("price", gte=low, lte=high),), where, rows)
    where = "category != 'category 0'"
    yield Demand("none of", (Not(equal("category", 0)),), where, np.flatnonzero(a != 0))
    where = f"category != 'category {category}'"
    rows = np.flatnonzero(a != category)
    yield Demand("not its own category", (Not(equal("category", category)),), where, rows)
    other = 1 if category == 0 else 0
    where = f"category = 'category {other}'"
    rows = np.flatnonzero(a == other)
    yield Demand("another category", (equal("category", other),), where, rows)


def schema() -> CatalogSchema:
    """What its columns are for."""
    fields = (
        Field("category", FieldKind.KEYWORD, "category"),
        Field("colour", FieldKind.KEYWORD, "colour"),
        Field("price", FieldKind.NUMBER, "price"),
    )
    return CatalogSchema(id="id", picture="image", fields=fields, phrase=("colour", "category"))


def points(shop: Shop) -> Iterator[list[Point]]:
    """All products, a batch at a time."""
    for start in range(0, len(shop.category), BATCH):
        yield [
            Point(
                point_id(str(row)),
                np.array(shop.vectors[row]),
                {
                    "id": str(row),
                    "picture": f"https://img.example/{row}.jpg",
                    "category": f"category {shop.category[row]}",
                    "colour": f"colour {shop.colour[row]}",
                    "price": float(shop.price[row]),
                },
            )
            for row in range(start, min(start + BATCH, len(shop.category)))
        ]
