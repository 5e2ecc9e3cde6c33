"""Filtered searches of a large index as the planner runs them, beside other engines.

    python benchmarks/engines.py build --rows 1000000 --folder big/
    python benchmarks/engines.py measure --folder big/
    python benchmarks/engines.py measure --folder big/ --peer faiss --peer hnswlib --peer lancedb

Vectors are synthetic: 24 categories in 46 colours, each pair a cluster, 512 numbers. Half the
queries are stored vectors with a little noise, half the middles of clusters, as a text would be. A
hit is right when its exact score reaches that of the tenth best. Exact numpy gets the matching
vectors for nothing. Peers (`pip install faiss-cpu hnswlib lancedb`, best into an environment of
their own) are measured in the same run and on the same queries; their indexes are built by the run,
which is not timed.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from goods.index import AnyOf, Condition, Not, Point, Range, open_index
from goods.index.contract import Contract
from goods.index.planner import Tuning, plan_search
from goods.product import point_id
from goods.schema import CatalogSchema, Field, FieldKind

DIMENSION, TOP, TIE, NOISE = 512, 10, 1e-6, 0.1
CATEGORIES = (0.2, 0.1, 0.01, *(0.69 / 21,) * 21)
COLOURS = (0.2, 0.005, *(0.795 / 44,) * 44)
SPREAD = 0.7  # of a product around its cluster, as long as this beside a middle of length 1
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
        middles = _unit(kinds + 0.7 * shades).reshape(-1, DIMENSION)
        if not file.exists():
            _draw(file, middles[category * len(COLOURS) + colour], chance)
        return cls(np.load(file, mmap_mode="r"), middles, category, colour, price)


def _draw(file: Path, near: NDArray[np.float32], chance: np.random.Generator) -> None:
    vectors = np.lib.format.open_memmap(file, "w+", np.float32, near.shape)
    for start in range(0, len(near), 50_000):
        part = near[start : start + 50_000]
        noise = chance.normal(size=part.shape).astype(np.float32)
        vectors[start : start + 50_000] = _unit(part + SPREAD * _unit(noise))
    vectors.flush()


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(
        np.float32
    )
    return unit


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


def _schema() -> CatalogSchema:
    fields = (
        Field("category", FieldKind.KEYWORD, "category"),
        Field("colour", FieldKind.KEYWORD, "colour"),
        Field("price", FieldKind.NUMBER, "price"),
    )
    return CatalogSchema(id="id", picture="image", fields=fields)


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


Search = Callable[[NDArray[np.float32], Demand], Sequence[int] | None]
"""The rows of the best ten under a demand; None where the engine cannot."""


def edge(folder: Path, _: Shop) -> Search:
    """The index of `build`, searched as every search of goods is."""
    index = open_index(str(folder / "index"))

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int]:
        hits = index.search(vector, TOP, conditions=demand.conditions)
        return [int(hit.payload["id"]) for hit in hits]

    return search


def exact(_: Path, shop: Shop) -> Search:
    """Plain numpy on the matching vectors."""
    vectors = np.array(shop.vectors)
    chosen: dict[str, NDArray[np.float32]] = {}

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int]:
        if demand.sql not in chosen:
            chosen.clear()
            everything = len(demand.matches) == len(vectors)
            chosen[demand.sql] = vectors if everything else vectors[demand.matches]
        scores = chosen[demand.sql] @ vector
        return [int(row) for row in demand.matches[np.argpartition(scores, -TOP)[-TOP:]]]

    return search


def hnswlib(_: Path, shop: Shop) -> Search:
    """The reference HNSW, m 16, ef_construction 128, ef 128; no filters."""
    import hnswlib as peer

    index = peer.Index("ip", DIMENSION)
    index.init_index(len(shop.vectors), M=16, ef_construction=128)
    for start in range(0, len(shop.vectors), 100_000):
        index.add_items(np.array(shop.vectors[start : start + 100_000]))
    index.set_ef(128)

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int] | None:
        return None if demand.sql else [int(row) for row in index.knn_query(vector, TOP)[0][0]]

    return search


def faiss(_: Path, shop: Shop) -> Search:
    """FAISS, HNSW of int8 vectors, m 16, efConstruction 128, efSearch 128; no filters."""
    import faiss as peer

    index = peer.IndexHNSWSQ(DIMENSION, peer.ScalarQuantizer.QT_8bit, 16, peer.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = 128, 128
    index.train(np.array(shop.vectors[:50_000]))
    for start in range(0, len(shop.vectors), 100_000):
        index.add(np.array(shop.vectors[start : start + 100_000]))

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int] | None:
        return None if demand.sql else [int(row) for row in index.search(vector[None], TOP)[1][0]]

    return search


def lancedb(folder: Path, shop: Shop) -> Search:
    """LanceDB, IVF_HNSW_SQ with scalar indexes on the fields, refined tenfold, prefiltered."""
    import lancedb as peer
    import pyarrow as pa

    shutil.rmtree(folder / "lance", ignore_errors=True)
    table = None
    for start in range(0, len(shop.vectors), 50_000):
        part = slice(start, start + 50_000)
        flat = pa.array(np.array(shop.vectors[part]).reshape(-1))
        data = pa.table(
            {
                "row": np.arange(len(shop.vectors))[part],
                "vector": pa.FixedSizeListArray.from_arrays(flat, DIMENSION),
                "category": [f"category {n}" for n in shop.category[part]],
                "colour": [f"colour {n}" for n in shop.colour[part]],
                "price": shop.price[part],
            }
        )
        if table is None:
            table = peer.connect(folder / "lance").create_table("products", data)
        else:
            table.add(data)
    assert table is not None
    table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=16)
    for field, kind in (("category", "BITMAP"), ("colour", "BITMAP"), ("price", "BTREE")):
        table.create_scalar_index(field, index_type=kind)

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int]:
        found = table.search(vector).distance_type("dot").nprobes(16).ef(256).refine_factor(2)
        found = found.where(demand.sql, prefilter=True) if demand.sql else found
        return list(found.select(["row"]).limit(TOP).to_arrow()["row"].to_pylist())

    return search


PEERS: dict[str, Callable[[Path, Shop], Search]] = {
    "hnswlib": hnswlib,
    "faiss": faiss,
    "lancedb": lancedb,
}


@click.group()
def main() -> None:
    """Build and measure."""


@main.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
def build(rows: int, folder: Path) -> None:
    """Draw the vectors and write them to an index."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop.of(rows, folder / "vectors.npy")
    started = time.perf_counter()
    with closing(open_index(str(folder / "index"))) as index:
        index.create(Contract(DIMENSION, "synthetic", "0" * 16, _schema()), rebuild=True)
        for number, batch in enumerate(points(shop), start=1):
            index.upsert(batch)
            if number % 50 == 0:
                print(f"{number * BATCH:,} in {time.perf_counter() - started:.0f} s", flush=True)
        written = time.perf_counter()
        index.seal()
        sealed = time.perf_counter() - written
    print(f"{rows:,} rows written in {written - started:.0f} s, graph built in {sealed:.0f} s")


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--queries", default=200, show_default=True)
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(PEERS)))
def measure(folder: Path, queries: int, peers: tuple[str, ...]) -> None:
    """Print a row per shape of filter and engine."""
    rows = len(np.load(folder / "vectors.npy", mmap_mode="r"))
    shop = Shop.of(rows, folder / "vectors.npy")
    engines = {"goods, Edge": edge(folder, shop), "exact numpy": exact(folder, shop)}
    engines |= {name: PEERS[name](folder, shop) for name in peers}
    chance = np.random.default_rng(1)
    asked = [int(row) for row in chance.integers(rows, size=queries)]
    shapes: dict[str, list[tuple[NDArray[np.float32], Demand]]] = {}
    for number, row in enumerate(asked):
        near = shop.category[row] * len(COLOURS) + shop.colour[row]
        noise = NOISE * _unit(chance.normal(size=DIMENSION))
        vector = _unit(shop.vectors[row] + noise) if number % 2 else shop.middles[near]
        for demand in demands(shop, int(shop.category[row])):
            shapes.setdefault(demand.shape, []).append((vector, demand))
    print(f"{rows:,} x {DIMENSION}, {queries} queries; recall@{TOP} by exact scores")
    print(f"{'filter':<22}{'engine':<14}{'mode':<8} recall    p50 ms    p99 ms")
    for shape, cases in shapes.items():
        cases.sort(key=lambda case: case[1].sql)
        measured(shape, cases, engines, shop)


def measured(
    shape: str,
    cases: Sequence[tuple[NDArray[np.float32], Demand]],
    engines: dict[str, Search],
    shop: Shop,
) -> None:
    """One shape: each engine answers each query in turn."""
    recalls: dict[str, list[float]] = {name: [] for name in engines}
    times: dict[str, list[float]] = {name: [] for name in engines}
    for vector, demand in cases:
        best = np.inf
        engines["exact numpy"](vector, demand)  # picks out the matching vectors, for nothing
        for name in ("exact numpy", *(name for name in engines if name != "exact numpy")):
            started = time.perf_counter()
            found = engines[name](vector, demand)
            spent = (time.perf_counter() - started) * 1e3
            if found is None:
                continue
            scores = np.sort(shop.vectors[list(found)] @ vector)
            best = scores[0] if name == "exact numpy" else best
            recalls[name].append(float(np.sum(scores >= best - TIE)) / TOP)
            times[name].append(spent)
    for name in engines:
        if times[name]:
            p50, p99 = np.percentile(times[name], [50, 99])
            mode = _mode(cases[0][1]) if name.startswith("goods") else ""
            recall = np.mean(recalls[name])
            print(
                f"{shape:<22}{name:<14}{mode:<8}{recall:>7.4f}{p50:>10.2f}{p99:>10.2f}", flush=True
            )


def _mode(demand: Demand) -> str:
    mode = plan_search(demand.conditions, TOP, lambda: len(demand.matches), Tuning())
    return "exact" if mode.is_exact else "ACORN" if mode.use_acorn else "graph"


if __name__ == "__main__":
    main()
