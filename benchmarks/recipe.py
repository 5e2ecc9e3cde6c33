"""What the default recipe gains over the plain one, on the same base, epochs and batch.

    python benchmarks/recipe.py --base models/base --catalog fashion_products --splits splits.csv

"plain" is fine-tuning as it is usually done: AdamW, each picture with its title, every other title
wrong. It is trained at several learning rates; lr 5e-5 and the rate that does best on validation
products stand for it. Everything is measured on the test products, by pictures alone: the default
is divided by the better of the two, measure by measure. Intervals are for other queries and other
seeds. A run that is in the folder --runs already is not done again.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goods.catalog import Catalog, open_catalog
from model.encoder import Encoder
from model.evaluation.catalog_tasks import attribute_task, title_task
from model.evaluation.judge import load_held_out
from model.evaluation.metrics import measured
from model.evaluation.search import nearest
from model.evaluation.statistics import ratio_interval
from model.training.settings import TrainSettings
from model.training.train import train

USUAL_LR = 5e-5

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--base", required=True)
parser.add_argument("--catalog", required=True)
parser.add_argument("--splits", type=Path)
parser.add_argument("--fields", default="baseColour,articleType", help="Of a phrase, noun last.")
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--batch-size", type=int, default=128)
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
parser.add_argument("--sweep", type=float, nargs="+", default=[2e-4], help="Rates of plain.")
parser.add_argument("--recipes", nargs="+", default=["plain", "default"])
parser.add_argument("--runs", type=Path, required=True, help="Folder for what was measured.")
args = parser.parse_args()


@dataclass(frozen=True)
class Trained:
    """One training, measured.

    Attributes:
        val: The score that epochs are chosen by, on validation products.
        titles_Q: Recall@10 of each title, on test products.
        phrases_Q: P@10 of each phrase.
    """

    val: float
    titles_Q: NDArray[np.float64]
    phrases_Q: NDArray[np.float64]


def trained(catalog: Catalog, recipe: str, seed: int, lr: float | None = None) -> Trained:
    """A training from the base, done or looked up."""
    settings = TrainSettings(
        base=args.base,
        recipe_name=recipe,
        epochs=args.epochs,
        batch_size=args.batch_size,
        lr=lr,
        seed=seed,
        splits=args.splits,
    )
    name = f"{recipe} lr {settings.recipe.lr:g} seed {seed}"
    file = args.runs / f"{name}.npz"
    if not file.exists():
        with tempfile.TemporaryDirectory() as folder:
            report = train(settings, catalog, Path(folder) / "model")
            titles_Q, phrases_Q = on_test(catalog, str(Path(folder) / "model"))
        val = max(record.score or 0 for record in report.history[1:])
        args.runs.mkdir(parents=True, exist_ok=True)
        np.savez(file, val=val, titles_Q=titles_Q, phrases_Q=phrases_Q)
    with np.load(file) as kept:
        found = Trained(float(kept["val"]), kept["titles_Q"], kept["phrases_Q"])
    print(
        f"{name:<28} val {found.val:.4f}   titles R@10 {found.titles_Q.mean():.4f}   "
        f"phrases P@10 {found.phrases_Q.mean():.4f}",
        flush=True,
    )
    return found


def on_test(catalog: Catalog, model: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Recall@10 of titles and P@10 of phrases, of each query."""
    encoder = Encoder.load(model)
    held_out = load_held_out(encoder, catalog, "test", args.splits)
    found = []
    for task, name in (
        (title_task(held_out.corpus, catalog.schema), "R@10"),
        (attribute_task(held_out.corpus, tuple(args.fields.split(","))), "P@10"),
    ):
        texts = encoder.texts([query.text for query in task.queries])
        ranking = nearest(texts, held_out.vectors, task.queries, task.is_one_design)
        found += [each.values_Q for each in measured(task, ranking) if each.name == name]
    return found[0], found[1]


catalog = open_catalog(args.catalog)
titles_Q, phrases_Q = on_test(catalog, args.base)
print(f"base: titles R@10 {titles_Q.mean():.4f}   phrases P@10 {phrases_Q.mean():.4f}", flush=True)

runs: dict[str, dict[float | None, list[Trained]]] = {
    recipe: {
        lr: [trained(catalog, recipe, seed, lr) for seed in args.seeds]
        for lr in (sorted({USUAL_LR, *args.sweep}) if recipe == "plain" else [None])
    }
    for recipe in args.recipes
}
if set(runs) == {"plain", "default"}:
    swept = runs["plain"]
    best_lr = max(swept, key=lambda lr: np.mean([run.val for run in swept[lr]]))
    for name in ("titles_Q", "phrases_Q"):
        ours_SQ = np.stack([getattr(run, name) for run in runs["default"][None]])
        theirs_SQ = max(
            (np.stack([getattr(run, name) for run in swept[lr]]) for lr in (USUAL_LR, best_lr)),
            key=lambda scores_SQ: scores_SQ.mean(),
        )
        ratio = ratio_interval(theirs_SQ, ours_SQ, other_seeds=True)
        print(
            f"{name.removesuffix('_Q'):<8} default {ours_SQ.mean():.4f} / plain "
            f"{theirs_SQ.mean():.4f} = {ratio.value:.3f} "
            f"(95 %: {ratio.low:.3f} to {ratio.high:.3f})"
        )
