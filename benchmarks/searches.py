"""What a search costs beside its parts, and whether names, facets and pages are exact.

    python benchmarks/searches.py --index index/ --queries 300

Needs an embedded index that goods made, of products with a title and a phrase. The last part writes
into the index, which is why it works on a copy.

1. speed   A warm text query from end to end, beside the text tower and one raw call of the engine,
           each query in turn, so that all of them meet the same noise.
2. names   Titles and ids of products, drawn at random: is the first hit called so? And phrases of
           the catalog's own values: how many of the first ten have them? Both with and without
           words.
3. facets  Counts of every field under 200 random filters, beside pandas.
4. pages   All groups of a search, page by page, while a thread keeps writing.
"""

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event, Thread

import numpy as np
import pandas as pd
import qdrant_edge as edge

from goods.index import AnyOf, Condition, Not, Point, Range, Record
from goods.index.edge import EdgeIndex
from goods.index.edge_models import as_list, edge_search_params
from goods.index.planner import SearchMode
from goods.schema import FieldKind
from search import Query, SearchClient, SearchOptions
from search.facets import count_facets

PLAIN = SearchOptions(words_weight=0)
HYBRID = SearchOptions()


def phrases(client: SearchClient, count: int, chance: random.Random) -> list[dict[str, str]]:
    """Values of one field each of the catalog's phrase; at least ten products have the last two."""
    *_, other, noun = client.schema.phrase
    found: list[dict[str, str]] = []
    for thing in client.index.facet(noun, limit=1000):
        found += [
            {other: str(word.value), noun: str(thing.value)}
            for word in client.index.facet(other, [AnyOf(noun, (thing.value,))], limit=1000)
            if word.count >= 10
        ]
    return chance.choices(found, k=count)


def speed(client: SearchClient, texts: Sequence[str]) -> None:
    """Print milliseconds of each part, and the ratio of the whole to them."""
    index, mode = client.index, SearchMode()
    assert isinstance(index, EdgeIndex)

    def raw(vector: np.ndarray) -> None:
        request = edge.QueryRequest(
            limit=10,
            query=edge.Query.Nearest(as_list(vector)),
            params=edge_search_params(mode, 10),
            with_payload=True,
        )
        with index._in_use.engine() as shard:
            shard.query(request)

    rows = []
    for number, text in enumerate(texts):
        vector = client.encoder.texts([text])[0]
        parts: dict[str, Callable[[], object]] = {
            "text tower": lambda t=text: client.encoder.texts([t]),
            "raw engine call": lambda v=vector: raw(v),
            "search, pictures": lambda t=text: client.search(Query(t), options=PLAIN),
            "search, hybrid": lambda t=text: client.search(Query(t), options=HYBRID),
        }
        spent = {}
        for name, part in parts.items():
            started = time.perf_counter()
            part()
            spent[name] = (time.perf_counter() - started) * 1e3
        if number >= 20:  # those before are to warm up
            rows.append(spent)
    table = pd.DataFrame(rows)
    print(f"\nspeed, ms, {len(rows)} warm queries")
    print(table.quantile([0.5, 0.95, 0.99]).T.round(2).to_string())
    parts_ms = table["text tower"] + table["raw engine call"]
    for name in ("search, pictures", "search, hybrid"):
        print(f"{name}: {(table[name] / parts_ms).median():.2f} x (text tower + raw engine call)")


def names(client: SearchClient, records: Sequence[Record], asked: Sequence[dict[str, str]]) -> None:
    """Print how often a title or an id finds itself first, and P@10 of phrases."""
    print("\nnames")
    for label, options in (("pictures", PLAIN), ("hybrid", HYBRID)):
        one = replace(options, limit=1)
        firsts: Counter[str] = Counter()
        for record in records:
            for key in ("title", "id"):
                text = record.payload.get(key) or record.payload["id"]
                hits = client.search(Query(text), options=one).hits
                best = hits[0].product
                firsts[key] += text.casefold() in (best.title.casefold(), best.id.casefold())
        precisions = []
        for phrase in asked:
            hits = client.search(Query(" ".join(phrase.values())), options=options).hits
            good = [phrase.items() <= dict(hit.product.attributes).items() for hit in hits]
            precisions.append(np.mean(good))
        count = len(records)
        print(
            f"{label:<9} title first {firsts['title'] / count:.4f}, id first "
            f"{firsts['id'] / count:.4f} ({count} products); P@10 of {len(asked)} phrases "
            f"{np.mean(precisions):.3f}"
        )


def facets(client: SearchClient, frame: pd.DataFrame, chance: random.Random) -> None:
    """Print how many counts differ from those of pandas, under 200 filters."""
    differing = compared = 0
    names = [field.name for field in client.schema.fields]
    spent = []
    for _ in range(200):
        conditions, mask = drawn_filter(client, frame, chance)
        started = time.perf_counter()
        found = count_facets(client.index, names, conditions, limit=10_000)
        spent.append((time.perf_counter() - started) * 1e3)
        for name in names:
            column = frame.loc[mask, name].dropna()
            if name in found.values:
                expected = column.explode().value_counts().to_dict()
                mine = {f.value: f.count for f in found.values[name]}
            else:
                number = found.numbers.get(name)
                expected = {"count": len(column)}
                mine = {"count": sum(r.count for r in number.ranges) if number else 0}
            compared += len(expected)
            differing += mine != expected
    print(f"\nfacets: {differing} of {200 * len(names)} differ from pandas ({compared:,} counts)")
    print(f"all {len(names)} fields under a filter: p50 {np.median(spent):.1f} ms")


def drawn_filter(
    client: SearchClient, frame: pd.DataFrame, chance: random.Random
) -> tuple[list[Condition], np.ndarray]:
    """Up to three conditions, and the rows that pandas finds for them."""
    conditions: list[Condition] = []
    mask = np.ones(len(frame), dtype=bool)
    fields = chance.sample(client.schema.fields, chance.randint(1, 3))
    for field in fields:
        column = frame[field.name]
        if field.kind is FieldKind.NUMBER:
            low, high = sorted(chance.choices(column.dropna().tolist(), k=2))
            conditions.append(Range(field.name, gte=low, lte=high))
            mask &= column.between(low, high).to_numpy()
            continue
        values = tuple(chance.choices(column.dropna().explode().tolist(), k=chance.randint(1, 4)))
        held = column.map(
            lambda v, w=values: any(x in w for x in (v if isinstance(v, list) else [v]))
        )
        is_not = chance.random() < 0.3
        wanted = AnyOf(field.name, values)
        conditions.append(Not(wanted) if is_not else wanted)
        mask &= (~held if is_not else held).to_numpy(dtype=bool)
    return conditions, mask


def pages(folder: str, records: Sequence[Record], dimension: int) -> None:
    """Print whether paging over groups repeats or loses any while a thread writes."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        with SearchClient(copy) as client:
            done = Event()

            def write() -> None:
                chance = np.random.default_rng(0)
                while not done.is_set():
                    picked = [records[int(n)] for n in chance.integers(1, len(records), 20)]
                    vectors = chance.normal(size=(20, dimension)).astype(np.float32)
                    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
                    client.index.upsert(
                        [Point(r.id, v, r.payload) for r, v in zip(picked, vectors, strict=True)]
                    )
                    time.sleep(0.01)

            writer = Thread(target=write)
            writer.start()
            query = Query(products=(records[0].payload["id"],))
            options = SearchOptions(limit=100, by_group=True)
            shown: list[str] = []
            turned = 0
            while True:
                answer = client.search(query, options=options)
                shown += [hit.product.group or hit.product.id for hit in answer.hits]
                turned += 1
                if answer.next is None:
                    break
                options = replace(options, cursor=answer.next)
            done.set()
            writer.join()
    repeated = len(shown) - len(set(shown))
    print(f"\npages: {turned} of 100, {len(shown):,} shown, {repeated} repeated, while writing")


def main() -> None:
    """Print every part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", required=True)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--parts", default="speed,names,facets,pages")
    args = parser.parse_args()
    chance, parts = random.Random(0), args.parts.split(",")
    with SearchClient(args.index) as client:
        print(client.info())
        asked = phrases(client, args.queries, chance)
        records = list(client.index.scan(5000))
        dimension = client.contract.dimension
        if "speed" in parts:
            speed(client, [" ".join(phrase.values()) for phrase in asked])
        if "names" in parts:
            names(client, chance.sample(records, min(1000, len(records))), asked)
        if "facets" in parts:
            facets(client, pd.DataFrame([r.payload for r in records]), chance)
    if "pages" in parts:
        pages(args.index, records, dimension)


if __name__ == "__main__":
    main()
