"""What a training is of: so that one is never continued as another."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from hashlib import blake2b

import torch

from goods.schema import CatalogSchema
from model.captions import all_facts
from model.pairs import Pairs
from model.training.recipe import Recipe
from model.training.replay import Replay

Identity = Mapping[str, object]
"""By names that people know; two trainings of equal values end with equal weights, on a CPU.

The guard is not in it: it comes after the last epoch, and may be thought better of until then.
"""


def identity_of(
    base_stamp: str,
    recipe: Recipe,
    seed: int,
    autocast: torch.dtype | None,
    pairs: Pairs,
    schema: CatalogSchema,
    replay: Replay | None = None,
) -> Identity:
    """What decides the weights, apart from the machine and how the work is shared out on it."""
    return {
        "the base's stamp": base_stamp,
        "seed": seed,
        "precision": str(autocast or torch.float32).removeprefix("torch."),
        **dict(flat(asdict(recipe))),
        "the number of products": len(pairs.products),
        "the digest of products, splits, words and pictures": _digest(pairs, schema),
        "the digest of what is replayed": replay and _digest(replay.pairs, replay.schema),
    }


def flat(plain: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every value of nested records, under a name like "captions.phrase_share"."""
    for name, value in plain.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{name}.")
        else:
            yield prefix + name, value


def _digest(pairs: Pairs, schema: CatalogSchema) -> str:
    """Of all that is learned from: ids, splits, groups, facts, and what the pictures look like."""
    digest = blake2b(json.dumps(schema.phrase).encode(), digest_size=8)
    for product, split, group in zip(pairs.products, pairs.splits, pairs.groups, strict=True):
        told = [product.id, split, group, all_facts(product, schema)]
        digest.update(json.dumps(told).encode())
    digest.update(pairs.pictures.thumbnails.tobytes())
    return digest.hexdigest()
