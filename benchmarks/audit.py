"""How well `goods audit` finds labels that were made wrong on purpose, and twins that are known.

    python benchmarks/audit.py --catalog shop.parquet --model models/shop
    python benchmarks/audit.py --catalog shop.csv --model models/shop --splits splits.csv

One product in a hundred gets the value of another, in one field of the phrase at a time (seeded).
Precision among the first k and recall count only these: errors that the catalog had before count
as false alarms, so the true precision is higher. With --splits, `dup_group` says which pictures are
near-identical, and the pairs of products that the audit calls twins are held against it.
"""

import argparse
import csv
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # `ingest` is our package, not the script here

from goods.catalog import open_catalog
from goods.pictures import PictureLoader
from goods.product import Product
from ingest.audit.audit import twin_groups
from ingest.audit.gather import Gathered, Gathering, gather
from ingest.audit.labels import NEIGHBOURS, label_findings
from ingest.audit.neighbours import Neighbours, nearest_others
from ingest.audit.twins import Twins, find_twins
from model.encoder import Encoder

SHARE = 0.01


def corrupted(products: Sequence[Product], field: str, seed: int) -> tuple[list[Product], set[str]]:
    """The products, one in a hundred with the value of another one; and the ids of these."""
    rng = random.Random(f"{seed} {field}")
    having = [n for n, p in enumerate(products) if isinstance(p.attributes.get(field), str)]
    wrong, ids = list(products), set()
    for n in rng.sample(having, round(SHARE * len(having))):
        product = products[n]
        given = product.attributes[field]
        other = given
        while other == given:
            other = products[rng.choice(having)].attributes[field]
        wrong[n] = replace(product, attributes={**product.attributes, field: other})
        ids.add(product.id)
    return wrong, ids


def measure(gathered: Gathered, neighbours: Neighbours, encoder: Encoder, seed: int) -> None:
    """Print a row per field."""
    print(
        "planted labels   found with confidence >= 0.3; P@k: share of planted ones among the first"
    )
    for field in gathered.schema.phrase:
        wrong, planted = corrupted(gathered.pictured, field, seed)
        trial = replace(gathered, pictured=wrong)
        every = label_findings(trial, neighbours, encoder.texts, len(wrong))
        found = [finding for finding in every if finding.field == field]
        hits = [finding.products[0] in planted for finding in found]
        count = len(planted)
        at = {k: sum(hits[:k]) / min(k, max(1, len(hits))) for k in (20, 50, 100, 200)}
        right = {p.id: p.attributes[field] for p in gathered.pictured if p.id in planted}
        repaired = sum(f.suggested == right.get(f.products[0]) for f in found)
        print(
            f"{field:<14} {count:4} planted, {len(found):4} found: "
            + "  ".join(f"P@{k} {share:.2f}" for k, share in at.items())
            + f"  recall@200 {sum(hits[:200]) / count:.2f}  recall {sum(hits) / count:.2f}"
            f"  suggestion right {repaired / max(1, sum(hits)):.2f}"
        )


def pairs(groups: Iterable[Sequence[str]]) -> set[tuple[str, str]]:
    """Every pair of ids that share a group, the lesser id first."""
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def compare_twins(gathered: Gathered, twins: Sequence[Twins], splits: Path) -> None:
    """Print how the pairs of twins agree with those of a splits file."""
    told = defaultdict(list)
    with splits.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row.get("dup_group"):
                told[row["dup_group"]].append(row["id"])
    found = pairs([gathered.pictured[n].id for n in group.members] for group in twins)
    true = pairs(told.values())
    print(
        f"pairs of twins: {len(found)} found, {len(true)} in {splits.name}, {len(found & true)} in "
        f"both: precision {len(found & true) / max(1, len(found)):.3f}, "
        f"recall {len(found & true) / max(1, len(true)):.3f}"
    )


def main() -> None:
    """Gather once, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--splits", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    encoder = Encoder.load(args.model)
    started = time.perf_counter()
    with PictureLoader() as loader:
        gathered = gather(open_catalog(args.catalog), loader, Gathering(encoder, limit=args.limit))
    looked = time.perf_counter()
    assert gathered.vectors_PD is not None
    twins = find_twins(gathered.looks, gathered.vectors_PD)
    compared = time.perf_counter()
    groups = twin_groups(gathered.pictured, twins)
    neighbours = nearest_others(gathered.vectors_PD, groups, NEIGHBOURS)
    print(
        f"{len(gathered.pictured):,} pictures: gathered in {looked - started:.1f} s, twins "
        f"{compared - looked:.1f} s, neighbours {time.perf_counter() - compared:.1f} s"
    )
    exact = [group for group in twins if group.is_exact]
    print(f"{len(exact)} groups of one file, {len(twins) - len(exact)} of one photograph")
    if args.splits:
        compare_twins(gathered, twins, args.splits)
    measure(gathered, neighbours, encoder, args.seed)


if __name__ == "__main__":
    main()
