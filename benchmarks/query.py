"""How long a warm text query takes, end to end: the text tower and the index apart.

    python benchmarks/query.py --index index/ --queries 300

Queries are phrases of the catalog's own values ("red dress"), one in three without a filter, one
with a filter on one field, one on two. Each is asked once, after 20 to warm up.
"""

import argparse
import random
import time

import numpy as np

from search import Filters, SearchClient

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--index", required=True)
parser.add_argument("--model")
parser.add_argument("--queries", type=int, default=300)
args = parser.parse_args()

chance = random.Random(0)
with SearchClient(args.index, args.model) as client:
    phrase = client.schema.phrase
    values = {
        name: [str(f.value) for f in counts]
        for name, counts in client.facets(phrase).values.items()
    }
    timings: list[tuple[float, float, float]] = []
    for number in range(args.queries + 20):
        chosen = {name: chance.choice(values[name]) for name in phrase}
        demanded = dict(list(chosen.items())[-(number % 3) :]) if number % 3 else {}
        filters = Filters(any_of={name: [value] for name, value in demanded.items()})
        started = time.perf_counter()
        answer = client.by_text(" ".join(chosen.values()), filters)
        total_ms = (time.perf_counter() - started) * 1e3
        timings.append((answer.encode_ms, answer.index_ms, total_ms))
    points = client.info().points

measured = np.array(timings[20:])
print(f"{points:,} products, {len(measured)} warm queries, ms")
print(f"{'':12}{'p50':>8}{'p95':>8}{'p99':>8}")
for name, column in zip(("text tower", "index", "end to end"), measured.T, strict=True):
    p50, p95, p99 = np.percentile(column, [50, 95, 99])
    print(f"{name:12}{p50:8.2f}{p95:8.2f}{p99:8.2f}")
