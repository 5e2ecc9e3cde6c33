"""How well and how fast shoppers' texts are understood.

    python benchmarks/understand.py --catalog fashion_products/

The labelled queries of tests/shoppers, in the half that was tuned on and the half that was put
aside before, by a digest of the text; then 10,000 garbled ones of the latter (words in another
order often ask for something else); then how long one text takes, each asked 20 times in turn.
With --catalog, the titles of a catalog are read as if they were typed: how often does a filter
exclude the product whose title it is? Titles name things that products are not ("Black Marlin
Perfume") and catalogs err, too: this is a bound from above.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from goods.catalog import open_catalog
from goods.product import Product
from goods.schema import FieldKind
from search.boost import holds
from search.understand import Understanding, Vocabulary, understand

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from query_mutations import mutated
from shopper_queries import is_exact, is_wrong, labelled, vocabularies

REPEATS = 20

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--catalog")
args = parser.parse_args()


def timed_ms(text: str, vocabulary: Vocabulary) -> tuple[float, float]:
    """What a text takes on the clock, and of this thread's processor."""
    clock, processor = time.perf_counter(), time.thread_time()
    understand(text, vocabulary)
    return (time.perf_counter() - clock) * 1e3, (time.thread_time() - processor) * 1e3


def facets_of(products: list[Product], names: list[str]) -> dict[str, Counter[str]]:
    """How many products have each value."""
    return {n: Counter(str(p.attributes[n]) for p in products if n in p.attributes) for n in names}


started = time.perf_counter()
known = vocabularies()
print(f"{len(known)} vocabularies built in {(time.perf_counter() - started) * 1e3:.0f} ms")
queries = list(labelled())
for half, is_held_out in (("tuned on", False), ("held out", True)):
    asked = [query for query in queries if query.is_held_out is is_held_out]
    answers: list[Understanding] = [understand(q.text, known[q.catalog]) for q in asked]
    pairs = list(zip(asked, answers, strict=True))
    exact = sum(is_exact(*pair) for pair in pairs) / len(asked)
    wrong = sum(is_wrong(*pair) for pair in pairs) / len(asked)
    told = sum({m.said for m in a.not_carried} == q.not_carried for q, a in pairs) / len(asked)
    shares = f"exact {exact:.1%}, wrong {wrong:.1%}, not carried {told:.1%}"
    print(f"{half}: {len(asked)} queries, {shares}")

tried, right, bad = Counter[str](), Counter[str](), Counter[str]()
for name, query, text in mutated([query for query in queries if query.is_held_out], 10_000):
    answer = understand(text, known[query.catalog])
    tried[name] += 1
    right[name] += is_exact(query, answer)
    bad[name] += is_wrong(query, answer)
for name, count in tried.items():
    shares = f"exact {right[name] / count:.1%}, wrong {bad[name] / count:.1%}"
    print(f"garbled by {name}: {count}, {shares}")

times = np.array(
    [timed_ms(query.text, known[query.catalog]) for _ in range(REPEATS) for query in queries]
)
for label, column in zip(("clock", "processor"), times.T, strict=True):
    p50, p99, most = np.percentile(column, [50, 99, 100])
    print(
        f"{label}: p50 {p50:.3f} ms, p99 {p99:.3f} ms, longest {most:.2f} ms, {len(column)} texts"
    )

if args.catalog:
    catalog = open_catalog(args.catalog)
    products = [row for row in catalog.products() if isinstance(row, Product) and row.title]
    fields = [field.name for field in catalog.schema.of_kind(FieldKind.KEYWORD)]
    vocabulary = Vocabulary.build(catalog.schema, facets_of(products, fields))
    filters, excluded, spoilt = Counter[str](), Counter[str](), 0
    for product in products:
        found = understand(product.title, vocabulary).filters
        failed = [demand for demand in found if not holds(product.attributes, demand)]
        filters.update(demand.field for demand in found)
        excluded.update(demand.field for demand in failed)
        spoilt += bool(failed)
    print(f"{len(products)} titles: {spoilt / len(products):.1%} exclude their own product")
    for field, count in filters.most_common():
        print(f"  {field}: {count} filters, {excluded[field] / count:.1%} exclude it")
