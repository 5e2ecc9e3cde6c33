"""Small trainings for tests: a shop, its pairs and a model, put together as `goods train` does."""

from dataclasses import replace
from pathlib import Path

import torch

from goods.catalog import open_catalog
from goods.pictures import PictureLoader
from model.caption_mix import CaptionMix
from model.captions import Captioner
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.pairs import Pairs, PictureStore, load_pairs
from model.training.compute import DEFAULT_COMPUTE, Compute
from model.training.fit import Fit
from model.training.ranks import Ranks
from model.training.recipe import Recipe
from model.training.replay import Replay

ALONE = Ranks()
RECIPE = Recipe(epochs=1, batch_size=15, lr=1e-3, captions=CaptionMix(is_both=True))


def pairs_of(shop: Path, towers: DualEncoder, memory: int = 1 << 30) -> Pairs:
    """The products of a shop; all of them are learned."""
    rows = open_catalog(shop).products()
    pairs = load_pairs(rows, PictureStore(PictureLoader(), towers.preprocessing, memory))
    return replace(pairs, splits=["train"] * len(pairs.products))


def fit_of(
    towers: DualEncoder,
    shop: Path,
    pairs: Pairs,
    compute: Compute = DEFAULT_COMPUTE,
    ranks: Ranks = ALONE,
    recipe: Recipe = RECIPE,
) -> Fit:
    """A training of these pairs; what it replays are the same ones."""
    schema = open_catalog(shop).schema
    captioner = Captioner(pairs.products, schema, 0, recipe.captions)
    size = recipe.replay_batch_size
    replay = Replay(pairs, schema, captioner, size, 0) if size else None
    return Fit(towers, pairs, captioner, recipe, schema.phrase, 0, compute, ranks, replay)


def learned(
    base: Path,
    shop: Path,
    compute: Compute = DEFAULT_COMPUTE,
    ranks: Ranks = ALONE,
    recipe: Recipe = RECIPE,
    memory: int = 1 << 30,
) -> tuple[list[float], dict[str, torch.Tensor]]:
    """The losses and the weights after one epoch."""
    towers = load_checkpoint(str(base))
    fit = fit_of(towers, shop, pairs_of(shop, towers, memory), compute, ranks, recipe)
    losses = [step.loss for step in fit.epoch(1)]
    return losses, {name: w.detach().clone() for name, w in towers.model.state_dict().items()}


def distance(
    one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], base: dict[str, torch.Tensor]
) -> float:
    """How far two trained models are apart, as a share of how far training moved the first."""
    apart = sum(float((one[name] - other[name]).norm() ** 2) for name in one)
    moved = sum(float((one[name] - base[name]).norm() ** 2) for name in one)
    return (apart / moved) ** 0.5
