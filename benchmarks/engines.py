"""Filtered searches of a large index as the planner runs them, beside other engines.

    python benchmarks/engines.py build --rows 1000000 --folder big/ --engine goods --engine faiss
    python benchmarks/engines.py measure --folder big/ --peer faiss

Vectors are synthetic (`synthetic_shop.py`). Half the queries are stored vectors with a little
noise, half the middles of clusters, as a text would be. A hit is right when its exact score reaches
that of the tenth best. Exact numpy gets the matching vectors for nothing. Each engine first answers
20 other queries of a shape, as one does that has served for a while. Peers are measured in the same
run and on the same queries; they have no part in our environment, so give them one of their own
(`ingest.md` says how).
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click
import numpy as np
from engine_peers import PEERS, TOP, Search
from numpy.typing import NDArray
from synthetic_shop import BATCH, COLOURS, DIMENSION, Demand, Shop, demands, points, schema, unit

from goods.index import VectorIndex, open_index
from goods.index.contract import Contract
from goods.index.planner import TUNING_NOTE, Tuning, plan_search
from search.tune.planner import tune_planner
from search.tune.trials import Probe
from search.tune.trials import demands as filters

TIE, NOISE = 1e-6, 0.1
TUNED_ON, WARMED_BY = 200, 20  # queries, other than those that are measured

OURS, EXACT = "goods, Edge", "exact numpy"

Case = tuple[NDArray[np.float32], Demand]


def edge(index: VectorIndex) -> Search:
    """Our index, searched as every search of goods is."""

    def search(vector: NDArray[np.float32], demand: Demand) -> Sequence[int]:
        hits = index.search(vector, TOP, conditions=demand.conditions)
        return [int(hit.payload["id"]) for hit in hits]

    return search


def exact(shop: Shop) -> Search:
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


@click.group()
def main() -> None:
    """Build and measure."""


@main.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--engine", "engines", multiple=True, type=click.Choice(["goods", *PEERS]))
def build(rows: int, folder: Path, engines: tuple[str, ...]) -> None:
    """Draw the vectors and fill engines with them, ours where none is named."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop.of(rows, folder / "vectors.npy")
    for name in engines or ("goods",):
        started = time.perf_counter()
        if name == "goods":
            fill(folder / "index", shop)
        else:
            PEERS[name].build(folder, shop)
        print(f"{name}: {rows:,} rows in {time.perf_counter() - started:.0f} s", flush=True)


def fill(folder: Path, shop: Shop) -> None:
    """Write our index as a load does, build its graph, and tune it as `goods tune` does."""
    started = time.perf_counter()
    with closing(open_index(str(folder))) as index:
        index.create(Contract(DIMENSION, "synthetic", "0" * 16, schema()), rebuild=True)
        for number, batch in enumerate(points(shop), start=1):
            index.upsert(batch)
            if number % 50 == 0:
                print(f"{number * BATCH:,} in {time.perf_counter() - started:.0f} s", flush=True)
        index.seal()
        print(f"sealed after {time.perf_counter() - started:.0f} s", flush=True)
    tuned(folder, shop)


def tuned(folder: Path, shop: Shop) -> None:
    """Tune our index as `goods tune` does."""
    probes = [
        Probe(vector, {"category": f"category {category}"})
        for vector, category in queries(shop, TUNED_ON, seed=2)
    ]
    with closing(open_index(str(folder))) as index:
        for line in tune_planner(index, probes, list(filters(index))).lines():
            print(line, flush=True)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True)
def tune(folder: Path) -> None:
    """Tune an index that was built."""
    rows = len(np.load(folder / "vectors.npy", mmap_mode="r"))
    tuned(folder / "index", Shop.of(rows, folder / "vectors.npy"))


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True)
@click.option("--queries", "count", default=200, show_default=True)
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(PEERS)))
def measure(folder: Path, count: int, peers: tuple[str, ...]) -> None:
    """Print a row per shape of filter and engine."""
    rows = len(np.load(folder / "vectors.npy", mmap_mode="r"))
    shop = Shop.of(rows, folder / "vectors.npy")
    index = open_index(str(folder / "index"))
    engines = {OURS: edge(index), EXACT: exact(shop)}
    engines |= {name: PEERS[name].open(folder) for name in peers}
    shapes, warming = by_shape(shop, count, seed=1), by_shape(shop, WARMED_BY, seed=3)
    print(f"{rows:,} x {DIMENSION}, {count} queries; recall@{TOP} by exact scores")
    print(f"{'filter':<22}{'engine':<14}{'mode':<14} recall   p50 ms   p99 ms")
    for shape, cases in shapes.items():
        mode = planned(cases[0][1], Tuning.of(index.read_note(TUNING_NOTE)))
        measured(shape, mode, warming[shape], cases, engines, shop)


def by_shape(shop: Shop, count: int, seed: int) -> dict[str, list[Case]]:
    """The queries under every shape of filter, those under one filter side by side."""
    shapes: dict[str, list[Case]] = {}
    for vector, category in queries(shop, count, seed):
        for demand in demands(shop, category):
            shapes.setdefault(demand.shape, []).append((vector, demand))
    for cases in shapes.values():
        cases.sort(key=lambda case: case[1].sql)
    return shapes


def queries(shop: Shop, count: int, seed: int) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Vectors, and the category that each comes from."""
    chance = np.random.default_rng(seed)
    for number, row in enumerate(chance.integers(len(shop.category), size=count)):
        near = shop.category[row] * len(COLOURS) + shop.colour[row]
        noise = NOISE * unit(chance.normal(size=DIMENSION))
        vector = unit(shop.vectors[row] + noise) if number % 2 else shop.middles[near]
        yield vector, int(shop.category[row])


def measured(
    shape: str,
    mode: str,
    warming: Sequence[Case],
    cases: Sequence[Case],
    engines: dict[str, Search],
    shop: Shop,
) -> None:
    """One shape: each engine answers all of its queries before the next one does."""
    recalls: dict[str, list[float]] = {name: [] for name in engines}
    times: dict[str, list[float]] = {name: [] for name in engines}
    bests: list[float] = []
    for name in (EXACT, *(name for name in engines if name != EXACT)):
        for vector, demand in warming:
            engines[name](vector, demand)
        for number, (vector, demand) in enumerate(cases):
            if name == EXACT:
                engines[name](vector, demand)  # picks out the matching vectors, for nothing
            started = time.perf_counter()
            found = engines[name](vector, demand)
            spent = (time.perf_counter() - started) * 1e3
            if found is None:
                continue
            scores = np.sort(shop.vectors[list(found)] @ vector)
            if name == EXACT:
                bests.append(float(scores[0]))
            recalls[name].append(float(np.sum(scores >= bests[number] - TIE)) / TOP)
            times[name].append(spent)
    for name in engines:
        if times[name]:
            p50, p99 = np.percentile(times[name], [50, 99])
            how = mode if name == OURS else ""
            recall = np.mean(recalls[name])
            print(f"{shape:<22}{name:<14}{how:<14}{recall:>7.4f}{p50:>9.2f}{p99:>9.2f}", flush=True)


def planned(demand: Demand, tuning: Tuning) -> str:
    """What our planner does about a demand."""
    mode = plan_search(demand.conditions, TOP, lambda: len(demand.matches), tuning)
    return "exact" if mode.is_exact else f"{'ACORN' if mode.use_acorn else 'graph'} {mode.ef}"


if __name__ == "__main__":
    main()
