"""The checkpoint that a training kept, held back to what its base can bear to lose."""

from collections.abc import Callable
from pathlib import Path

import torch

from goods.catalog import open_catalog
from goods.errors import TrainingError
from goods.pictures import PictureLoader
from goods.schema import CatalogSchema
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.pairs import Pairs
from model.training.general import (
    General,
    catalog_score,
    everyday_words,
    general_catalog,
    general_places,
)
from model.training.guard import Blend, GuardReport, guard, weights_of
from model.training.settings import GuardSettings


def guard_checkpoint(
    out: Path,
    base: str,
    settings: GuardSettings,
    pairs: Pairs,
    schema: CatalogSchema,
    device: torch.device,
    loader: PictureLoader,
    progress: Callable[[Blend], None] = lambda _: None,
) -> tuple[DualEncoder, GuardReport]:
    """What should stand in `out`, and why; nothing is written.

    Args:
        out: The checkpoint of the best epoch.
        base: The folder or hub name of what it was trained from.
        settings: How.
        pairs: The shop's products.
        schema: Their catalog's.
        device: Where to measure.
        loader: Where pictures come from.
        progress: Told of every blend that was tried.

    Raises:
        TrainingError: The base scores nothing in general: there is nothing to keep.
        CatalogError: The general catalog cannot be used.
    """
    towers = load_checkpoint(str(out))
    towers.to(device)
    origin = load_checkpoint(base)
    origin.to(device)
    general = _general(origin, settings, pairs, schema, loader)
    weights = weights_of(origin)
    del origin  # two copies of the weights and the model itself: less than training took
    has_test = (general is None or general.has_test) and len(pairs.numbers("test")) > 0
    own = catalog_score(pairs, schema)
    return towers, guard(towers, weights, own, general, settings.max_loss, has_test, progress)


def refuse_useless_general(settings: GuardSettings) -> None:
    """Say before the training what would stop the guard after it.

    Raises:
        TrainingError: The general catalog has no product to choose by.
        CatalogError: It cannot be used.
    """
    if settings.general:
        catalog = open_catalog(settings.general, settings.general_schema)
        general_places(catalog, settings.general_splits)


def refuse_blind_guard(pairs: Pairs) -> None:
    """Say before the training that the guard could not choose after it.

    Raises:
        TrainingError: The shop has no validation products.
    """
    if not len(pairs.numbers("val")):
        raise TrainingError(
            "the guard chooses by validation products, and there are none; give some that split, "
            "or train without it"
        )


def _general(
    base: DualEncoder,
    settings: GuardSettings,
    pairs: Pairs,
    schema: CatalogSchema,
    loader: PictureLoader,
) -> General | None:
    if not settings.is_bounded:
        return None
    if settings.general is None:
        return everyday_words(Encoder(base), pairs, schema)
    catalog = open_catalog(settings.general, settings.general_schema)
    return general_catalog(catalog, settings.general_splits, loader, base.preprocessing)
