"""Recall and latency of searches as the planner runs them, beside exact numpy.

    python benchmarks/recall.py --index index/ --queries 200 --model models/shop

Needs an index that goods made, of products with a phrase (gender, colour, category), better with a
number too. Every shape of filter is tried with every query. Half the queries are stored picture
vectors with a little noise; the others lie where a text about a product's colour and category
would: at the mean of all vectors that share both or, with --model, where the model puts that text.
A hit is right when its exact score reaches that of the tenth best. The peer scores the matching
vectors with numpy; it is handed the matches for nothing, as if it had a bitmap for every filter.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.index import AnyOf, Condition, Not, Range, Vector, VectorIndex, open_index
from goods.index.planner import TUNING_NOTE, Tuning, plan_search
from goods.schema import CatalogSchema, FieldKind

TOP = 10
TIE = 1e-6
NOISE = 0.1


@dataclass(frozen=True)
class Fields:
    """The fields that the filters use."""

    gender: str
    colour: str
    category: str
    number: str | None


class Catalog:
    """All products of an index, in memory."""

    def __init__(self, index: VectorIndex) -> None:
        records = list(index.scan(5000, with_vectors=True))
        self.payloads = [record.payload for record in records]
        self.row_of = {record.id: row for row, record in enumerate(records)}
        self.vectors = np.stack([r.vector for r in records if r.vector is not None])
        self._having: dict[tuple[str, str], NDArray[np.bool_]] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}

    def value(self, row: int, field: str) -> str:
        """The (first) keyword of a product; empty when it has none."""
        value = self.payloads[row].get(field, "")
        return str(value[0] if isinstance(value, list) else value)

    def having(self, field: str, value: str) -> NDArray[np.bool_]:
        """Which products have this keyword."""
        if (field, value) not in self._having:
            values = (payload.get(field) for payload in self.payloads)
            self._having[field, value] = np.array(
                [value in v if isinstance(v, list) else v == value for v in values]
            )
        return self._having[field, value]

    def numbers(self, field: str) -> NDArray[np.float64]:
        """A number per product; NaN where it has none."""
        if field not in self._numbers:
            values = [payload.get(field, np.nan) for payload in self.payloads]
            self._numbers[field] = np.array(values, dtype=float)
        return self._numbers[field]


@dataclass(frozen=True)
class Query:
    """A vector, and the row of the product that it was made from."""

    vector: Vector
    row: int


@dataclass(frozen=True)
class Demand:
    """A filter on one query, and the rows of the products that hold to it."""

    shape: str
    conditions: tuple[Condition, ...]
    matches: NDArray[np.intp]


@dataclass(frozen=True)
class Trial:
    """What one search gave."""

    share: float
    mode: str
    recall: float
    search_ms: float
    numpy_ms: float


def choose_fields(schema: CatalogSchema) -> Fields:
    """The phrase's first field and its last two, and the first number."""
    if len(schema.phrase) < 3:
        raise SystemExit(f"three fields are needed in the catalog's phrase, not {schema.phrase}")
    number = next((field.name for field in schema.of_kind(FieldKind.NUMBER)), None)
    return Fields(schema.phrase[0], schema.phrase[-2], schema.phrase[-1], number)


def queries(catalog: Catalog, fields: Fields, count: int, model: str | None) -> Iterator[Query]:
    """Noisy pictures, and what stands for a text about such a product, in turn."""
    chance = np.random.default_rng(0)
    rows = [int(row) for row in chance.integers(len(catalog.vectors), size=count)]
    words = [[catalog.value(row, f) for f in (fields.colour, fields.category)] for row in rows]
    if model:
        from model.encoder import Encoder

        texts = Encoder.load(model).texts([" ".join(pair) for pair in words])
    for number, (row, (colour, category)) in enumerate(zip(rows, words, strict=True)):
        if number % 2:
            noise = chance.normal(size=catalog.vectors.shape[1])
            vector = catalog.vectors[row] + NOISE * noise / np.linalg.norm(noise)
        elif model:
            vector = texts[number]
        else:
            alike = catalog.having(fields.colour, colour) & catalog.having(
                fields.category, category
            )
            vector = catalog.vectors[alike | (np.arange(len(alike)) == row)].mean(axis=0)
        yield Query((vector / np.linalg.norm(vector)).astype(np.float32), row)


def demands(catalog: Catalog, fields: Fields, query: Query) -> Iterator[Demand]:
    """The query under each shape of filter."""
    own = {f: catalog.value(query.row, f) for f in (fields.gender, fields.colour, fields.category)}
    having = {field: catalog.having(field, value) for field, value in own.items()}
    equal = {field: AnyOf(field, (value,)) for field, value in own.items()}
    gender, colour, category = fields.gender, fields.colour, fields.category

    yield Demand("none", (), np.arange(len(catalog.vectors)))
    yield Demand(category, (equal[category],), np.flatnonzero(having[category]))
    both = having[category] & having[colour]
    yield Demand(f"{category} + {colour}", (equal[category], equal[colour]), np.flatnonzero(both))
    if fields.number is not None:
        numbers = catalog.numbers(fields.number)
        low, high = (float(q) for q in np.nanquantile(numbers, [0.2, 0.8]))
        matches = np.flatnonzero(having[gender] & (numbers >= low) & (numbers <= high))
        conditions = (equal[gender], Range(fields.number, gte=low, lte=high))
        yield Demand(f"{gender} + {fields.number}", conditions, matches)
    yield Demand(f"not its {category}", (Not(equal[category]),), np.flatnonzero(~having[category]))
    strangers = np.flatnonzero(~having[category])
    other = catalog.value(int(strangers[query.row % len(strangers)]), category)
    matches = np.flatnonzero(catalog.having(category, other))
    yield Demand(f"another {category}", (AnyOf(category, (other,)),), matches)


def attempt(index: VectorIndex, catalog: Catalog, query: Query, demand: Demand) -> Trial:
    """Search once with the index and once with numpy."""
    tuning = Tuning.of(index.read_note(TUNING_NOTE))
    mode = plan_search(
        demand.conditions, TOP, lambda: index.count(demand.conditions, exact=False), tuning
    )
    started = time.perf_counter()
    hits = index.search(query.vector, TOP, conditions=demand.conditions)
    searched = time.perf_counter()
    everything = len(demand.matches) == len(catalog.vectors)
    candidates = catalog.vectors if everything else catalog.vectors[demand.matches]
    scores = candidates @ query.vector
    best = np.sort(np.partition(scores, -TOP)[-TOP:]) if len(scores) > TOP else np.sort(scores)
    done = time.perf_counter()
    found = catalog.vectors[[catalog.row_of[hit.id] for hit in hits]] @ query.vector
    return Trial(
        share=len(demand.matches) / len(catalog.vectors),
        mode="exact" if mode.is_exact else "ACORN" if mode.use_acorn else "graph",
        recall=float(np.mean(found >= best[0] - TIE)) * len(hits) / len(best),
        search_ms=(searched - started) * 1e3,
        numpy_ms=(done - searched) * 1e3,
    )


def main() -> None:
    """Print a row per shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", required=True)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--model")
    args = parser.parse_args()
    index = open_index(args.index)
    fields, catalog = choose_fields(index.contract.schema), Catalog(index)
    trials: dict[str, list[Trial]] = defaultdict(list)
    for query in queries(catalog, fields, args.queries, args.model):
        for demand in demands(catalog, fields, query):
            trials[demand.shape].append(attempt(index, catalog, query, demand))
    print(index.info())
    print(f"{args.queries} queries: noisy pictures and", args.model or "means of colour + category")
    print(f"{'filter':<28} share  mode             recall@{TOP}  p50 ms  p99 ms  numpy p50 ms")
    for shape, tried in trials.items():
        modes = Counter(trial.mode for trial in tried)
        p50, p99 = np.percentile([t.search_ms for t in tried], [50, 99])
        print(
            f"{shape:<28} {np.mean([t.share for t in tried]):5.2f}  "
            f"{' '.join(f'{m} {n}' for m, n in modes.most_common()):<16}"
            f"{np.mean([t.recall for t in tried]):10.4f}{p50:8.2f}{p99:8.2f}"
            f"{np.median([t.numpy_ms for t in tried]):14.2f}"
        )


if __name__ == "__main__":
    main()
