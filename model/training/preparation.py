"""What every process of a training starts from: the base, the products, and how to compute."""

import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import torch

from goods.catalog import Catalog
from goods.pictures import PictureLoader
from goods.product import Product
from model.captions import all_facts
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.encoder import choose_dtype
from model.pairs import Pairs, PictureStore, load_pairs
from model.scratch import PREFIX, build_scratch
from model.splits import given_places
from model.training.compute import Compute
from model.training.ranks import Ranks
from model.training.settings import TrainSettings
from model.training.state import StateFolder


def load_base(
    settings: TrainSettings, catalog: Catalog, folder: StateFolder, ranks: Ranks
) -> DualEncoder:
    """The model to train; for a scratch base one with random weights and the catalog's words.

    Raises:
        ModelError: It cannot be loaded.
    """
    if not settings.base.startswith(PREFIX):
        return load_checkpoint(str(folder.base or settings.base))
    with tempfile.TemporaryDirectory() as scratch:
        captions = (
            text
            for row in islice(catalog.products(), settings.limit)
            if isinstance(row, Product)
            for text in all_facts(row, catalog.schema).values()
        )
        if ranks.is_first:  # in the others transformers saves nothing
            build_scratch(settings.base, captions, Path(scratch), settings.seed)
        ranks.copy_files(Path(scratch))
        return load_checkpoint(scratch)


def load_products(
    settings: TrainSettings,
    catalog: Catalog,
    towers: DualEncoder,
    loader: PictureLoader,
    progress: Callable[[int], None] = lambda _: None,
) -> Pairs:
    """The catalog's products with their pictures as these towers see them.

    Args:
        settings: Which of them, in which splits.
        catalog: The products.
        towers: What the pictures are for.
        loader: Where pictures come from.
        progress: Told how many products have been looked at.
    """
    memory_bytes = int(settings.picture_memory_gib * 2**30)
    return load_pairs(
        islice(catalog.products(), settings.limit),
        PictureStore(loader, towers.preprocessing, memory_bytes),
        given_places(settings.splits, catalog.schema),
        progress,
    )


def compute_of(settings: TrainSettings, device: torch.device) -> Compute:
    """How steps are computed on this device: bfloat16 where it is native, unless chosen."""
    dtype = choose_dtype(settings.dtype, device)
    return Compute(
        dtype if dtype is torch.bfloat16 else None,
        settings.micro_batch_size,
        settings.gradient_checkpointing,
        "inductor" if settings.compile else None,
    )
