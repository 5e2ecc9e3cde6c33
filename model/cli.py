"""`goods train` and `goods evaluate`: a catalog into a better model, and the proof of it."""

from pathlib import Path

import click

from goods.options import (
    catalog_option,
    device_options,
    json_option,
    model_option,
    schema_option,
)
from model.training.recipe import DEFAULT_BASE, recipe_for


def _usual(name: str) -> str:
    """What a setting is unless chosen, for the help."""
    bases = ("scratch:small", "scratch:tiny")
    own = ", ".join(f"{getattr(recipe_for(base), name):g} for {base}" for base in bases)
    return f"[default: {getattr(recipe_for(DEFAULT_BASE), name):g}, {own}]"


splits_option = click.option(
    "--splits",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV (id, split, optionally dup_group) that assigns products to train, val and test.",
)


@click.command(epilog="Example: goods train --catalog shop.csv --out models/shop")
@catalog_option
@schema_option
@click.option(
    "--base",
    default=DEFAULT_BASE,
    show_default=True,
    help="What to start from: a checkpoint's folder, a name on the Hugging Face hub, or "
    "scratch:small or scratch:tiny, which need no download.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the checkpoint; an earlier one is replaced.",
)
@splits_option
@click.option("--epochs", type=int, help=f"Passes over the products.  {_usual('epochs')}")
@click.option("--batch-size", type=int, help=f"Pairs per step.  {_usual('batch_size')}")
@click.option("--lr", type=float, help=f"Peak learning rate.  {_usual('lr')}")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--limit", type=click.IntRange(1), help="Take only the first so many rows.")
@device_options
@json_option
def train(
    catalog: str,
    schema: Path | None,
    base: str,
    out: Path,
    splits: Path | None,
    epochs: int | None,
    batch_size: int | None,
    lr: float | None,
    seed: int,
    limit: int | None,
    device: str,
    dtype: str,
    as_json: bool,
) -> None:
    """Fine-tune a model on a catalog and show that it beats its base.

    A part of the products is held out, whole groups of variants and twins together: the scores are
    of products that the model has never seen.
    """
    import json

    from goods.catalog import open_catalog
    from model.training.progress import show_training
    from model.training.train import TrainSettings
    from model.training.train import train as run

    settings = TrainSettings(
        base=base,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
        device=device,
        dtype=dtype,
        limit=limit,
        splits=splits,
    )
    products = open_catalog(catalog, schema)
    with show_training() as progress:
        report = run(settings, products, out, progress)
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(report.lines()))


@click.command(epilog="Example: goods evaluate --catalog shop.csv --model models/shop")
@catalog_option
@schema_option
@model_option
@splits_option
@click.option(
    "--split",
    type=click.Choice(["test", "val", "train"]),
    default="test",
    show_default=True,
    help="Which products to ask for.",
)
@device_options
@json_option
def evaluate(
    catalog: str,
    schema: Path | None,
    model: str,
    splits: Path | None,
    split: str,
    device: str,
    dtype: str,
    as_json: bool,
) -> None:
    """Measure how well titles and attribute phrases find held-out products."""
    import json
    from dataclasses import asdict

    from goods.catalog import open_catalog
    from model.encoder import Encoder
    from model.evaluation.judge import judge
    from model.training.report import comparison

    products = open_catalog(catalog, schema)
    scores = judge(Encoder.load(model, device, dtype), products, split, splits)
    if as_json:
        click.echo(json.dumps(asdict(scores), indent=2))
        return
    click.echo(f"{scores.products:,} {split} products")
    click.echo("\n".join(comparison(scores, None)))
