"""Pairs of a general catalog, learned beside the shop's: what is still practised is not forgotten.

Each step has two batches, one of the shop and one of these, and each is a question of its own: what
one catalog says of its pictures is neither true nor wrong of the other's.

Source: Rolnick et al. 2019 (Experience Replay for Continual Learning).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.catalog import open_catalog
from goods.errors import TrainingError
from goods.pictures import PictureLoader
from goods.schema import CatalogSchema
from model.captions import Captioner
from model.dual_encoder import DualEncoder
from model.pairs import Pairs, PictureStore, load_pairs
from model.training.general import picked
from model.training.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Replay:
    """General pairs that are learned again.

    Attributes:
        pairs: Only such as may be learned from.
        schema: Their catalog's.
        captioner: What is said of them.
        batch_size: So many per step.
        seed: Of their order.
    """

    pairs: Pairs
    schema: CatalogSchema
    captioner: Captioner
    batch_size: int
    seed: int

    def batches(self, first: int) -> Iterator[NDArray[np.int64]]:
        """The numbers for each step from this one on, without end; steps count from 0.

        No pair comes again before all the others have come, but for those that do not fill a batch.
        """
        count = len(self.pairs.products)
        numbers = np.flatnonzero([self.captioner.has_any(number) for number in range(count)])
        turn, passed = divmod(first, len(numbers) // self.batch_size)
        while True:
            # The shop's order is drawn by two numbers, how a picture is seen by three.
            order = np.random.default_rng((self.seed, turn, 0, 0)).permutation(numbers)
            ends = range(self.batch_size, len(order) + 1, self.batch_size)
            for end in ends[passed:]:
                yield order[end - self.batch_size : end]
            turn, passed = turn + 1, 0


def load_replay(
    settings: TrainSettings, towers: DualEncoder, shop: Pairs, loader: PictureLoader
) -> Replay | None:
    """The general pairs of a training, as many as it learns; None where it replays nothing.

    Args:
        settings: Say how many, and of which catalog.
        towers: What the pictures are for.
        shop: What they are learned beside.
        loader: Where pictures come from.

    Raises:
        TrainingError: The catalog has fewer products to learn from than a batch.
        CatalogError: It cannot be read.
    """
    recipe = settings.recipe
    if not recipe.replay or settings.general is None:
        return None
    catalog = open_catalog(settings.general, settings.general_schema)
    most = math.ceil(recipe.epochs * len(shop.numbers("train")) * recipe.replay)
    places = picked(catalog, settings.general_splits, ("train",), most)["train"]
    store = PictureStore(loader, towers.preprocessing, int(settings.picture_memory_gib * 2**30))
    pairs = load_pairs(catalog.products(), store, lambda product: places.get(product.id))
    captioner = Captioner(pairs.products, catalog.schema, settings.seed, recipe.captions)
    usable = sum(captioner.has_any(number) for number in range(len(pairs.products)))
    _refuse_too_few(usable, recipe.replay_batch_size, catalog.location)
    return Replay(pairs, catalog.schema, captioner, recipe.replay_batch_size, settings.seed)


def refuse_useless_replay(settings: TrainSettings) -> None:
    """Say before anything is loaded that the general catalog may not be learned from.

    Raises:
        TrainingError: It has fewer products of the split "train" than a batch.
        CatalogError: It cannot be read.
    """
    if settings.recipe.replay and settings.general:
        catalog = open_catalog(settings.general, settings.general_schema)
        size = settings.recipe.replay_batch_size
        places = picked(catalog, settings.general_splits, ("train",), size)["train"]
        _refuse_too_few(len(places), size, catalog.location)


def _refuse_too_few(found: int, wanted: int, catalog: str) -> None:
    if found < wanted:
        raise TrainingError(
            f"the general catalog {catalog} has {found:,} products to replay, fewer than the "
            f"{wanted:,} of a step: its splits (--general-splits, or its own column) say which "
            "are train; name more, or train without --replay"
        )
