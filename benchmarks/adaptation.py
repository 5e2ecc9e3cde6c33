"""Teach a base another shop's pictures, and see what it gains there and forgets elsewhere.

    python benchmarks/adaptation.py --base models/base --shop clothing/products.csv \
        --general fashion.parquet --general-splits fashion.splits.csv --replay 1

For each seed the base is fine-tuned on the shop, and the guard chooses a blend on validation
products of both catalogs. Printed are test products: P@10 of the shop's class queries, and the
score (title recall@10 and phrase P@10) on the general catalog, all of its val and test products.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goods.catalog import open_catalog
from goods.pictures import PictureLoader
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.evaluation.catalog_tasks import attribute_task
from model.evaluation.evaluate import hold_out
from model.evaluation.metrics import measured
from model.evaluation.search import nearest
from model.evaluation.statistics import ratio_interval
from model.pairs import Pairs, PictureStore, load_pairs
from model.splits import given_places
from model.training.general import catalog_score, general_catalog
from model.training.guard import guard, set_blend, weights_of
from model.training.settings import TrainSettings
from model.training.train import train

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--base", required=True)
parser.add_argument("--shop", required=True)
parser.add_argument("--general", required=True)
parser.add_argument("--general-splits", type=Path)
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--lr", type=float, default=2e-4)
parser.add_argument("--layer-decay", type=float, default=1.0)
parser.add_argument("--freeze", default="none")
parser.add_argument("--lora", type=int, metavar="RANK")
parser.add_argument("--replay", type=float, help="General train pairs beside each of the shop's.")
parser.add_argument("--max-forgetting", type=float, default=0.05, metavar="SHARE")
args = parser.parse_args()


def precisions(towers: DualEncoder, pairs: Pairs, phrase: tuple[str, ...]) -> NDArray[np.float64]:
    """P@10 of every class on the test products."""
    encoder = Encoder(towers)
    held_out = hold_out(pairs, "test", encoder)
    task = attribute_task(held_out.corpus, phrase)
    texts = encoder.texts([query.text for query in task.queries])
    ranking = nearest(texts, held_out.vectors, task.queries)
    return next(found for found in measured(task, ranking) if found.name == "P@10").values_Q


shop = open_catalog(args.shop)
base = load_checkpoint(args.base)
start = weights_of(base)
with PictureLoader() as loader:
    store = PictureStore(loader, base.preprocessing, 4 << 30)
    pairs = load_pairs(shop.products(), store, given_places(None, shop.schema))
    general = general_catalog(
        open_catalog(args.general), args.general_splits, loader, base.preprocessing, most=10_000
    )

before = precisions(base, pairs, shop.schema.phrase)
after: dict[str, list[NDArray[np.float64]]] = {"off": [], "on": []}
losses: dict[str, list[float]] = {"off": [], "on": []}
for seed in range(args.seeds):
    settings = TrainSettings(
        base=args.base,
        epochs=args.epochs,
        batch_size=args.batch_size,
        lr=args.lr,
        layer_decay=args.layer_decay,
        freeze=args.freeze,
        lora_rank=args.lora,
        is_blended=False,
        guard=False,  # below, on all products of the general catalog
        general=Path(args.general) if args.replay else None,
        general_splits=args.general_splits,
        replay=args.replay,
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        train(settings, shop, out)
        towers = load_checkpoint(str(out))
    tuned = weights_of(towers)
    own = catalog_score(pairs, shop.schema)
    report = guard(towers, start, own, general, args.max_forgetting)
    print(f"seed {seed}", *report.lines(), sep="\n", flush=True)
    for name, alpha in (("off", 1.0), ("on", report.alpha)):
        set_blend(towers, start, tuned, alpha)
        after[name].append(precisions(towers, pairs, shop.schema.phrase))
        losses[name] += [found.loss for found in report.test if found.alpha == alpha]

print(f"\nbase: P@10 {before.mean():.3f} over {len(before)} classes")
for name, scores in after.items():
    ratio = ratio_interval([before] * args.seeds, scores, other_seeds=True)
    print(
        f"guard {name:>3}: P@10 {np.mean(scores):.3f} = {ratio.value:.2f} x base "
        f"(95 %: {ratio.low:.2f} to {ratio.high:.2f}), general loss {np.mean(losses[name]):.1%} "
        f"(by seed: {', '.join(f'{loss:.1%}' for loss in losses[name])})"
    )
