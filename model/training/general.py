"""What a base can do besides the shop's own captions: what the forgetting guard keeps.

It is measured on a general catalog, where one is at hand; else by how the model still sees the
shop's pictures in words that the shop's captions do not use.

Legend: N pictures, W words, D the dimension of a vector.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goods.catalog import Catalog
from goods.errors import TrainingError
from goods.pictures import PictureLoader
from goods.product import Product
from goods.schema import CatalogSchema
from model.captions import all_facts
from model.encoder import Encoder
from model.evaluation.evaluate import embedded, evaluate, hold_out
from model.pairs import Pairs, PictureStore, load_pairs
from model.pixels import Preprocessing
from model.splits import Place, given_places
from model.training.everyday import EVERYDAY

MOST = 2_000
"""Products of each split, at most: some fifteen blends are measured on them."""

_PICTURE_BYTES = 4 << 30

Score = Callable[[Encoder, str], float]
"""How good a model is on the products of a split, "val" or "test"; higher is better."""


@dataclass(frozen=True, slots=True)
class General:
    """What should not be lost.

    Attributes:
        measure: What is measured, in words.
        score: Measures it.
        has_test: Whether it can be measured on test products.
    """

    measure: str
    score: Score
    has_test: bool = True


def catalog_score(pairs: Pairs, schema: CatalogSchema) -> Score:
    """The score by which epochs are chosen, on the products of a catalog."""
    return lambda encoder, split: evaluate(hold_out(pairs, split, encoder), schema, encoder).score


def general_catalog(
    catalog: Catalog,
    splits: Path | None,
    loader: PictureLoader,
    preprocessing: Preprocessing,
    most: int = MOST,
) -> General:
    """What the base scores on another catalog, as the shop is scored: by titles and phrases.

    Args:
        catalog: Of any schema.
        splits: Says which products may choose (val) and which judge (test); else its own column
            does, else half of the products are for each.
        loader: Where its pictures come from.
        preprocessing: Of the base.
        most: Products of each split.

    Raises:
        TrainingError: It has no validation product whose picture can be read.
    """
    places = general_places(catalog, splits, most)
    store = PictureStore(loader, preprocessing, _PICTURE_BYTES)
    pairs = load_pairs(catalog.products(), store, lambda product: places.get(product.id))
    if not len(pairs.numbers("val")):
        raise TrainingError(
            f"the general catalog {catalog.location} has no validation product whose picture can "
            f"be read; {len(pairs.refused):,} cannot, the first: {pairs.refused[0]}"
        )
    measure = f"titles and phrases on {catalog.name}"
    has_test = len(pairs.numbers("test")) > 0
    return General(measure, catalog_score(pairs, catalog.schema), has_test)


def general_places(catalog: Catalog, splits: Path | None, most: int = MOST) -> dict[str, Place]:
    """Where the products of a general catalog belong, for so many of each split.

    Raises:
        TrainingError: None may choose.
        CatalogError: The catalog or the splits cannot be read.
    """
    by_split = picked(catalog, splits, ("val", "test"), most)
    if not by_split["val"]:
        raise TrainingError(
            f"the general catalog {catalog.location} has no validation product to choose by; "
            "name its splits with --general-splits, or another catalog"
        )
    return by_split["val"] | by_split["test"]


def picked(
    catalog: Catalog, splits: Path | None, wanted: Sequence[str], most: int
) -> dict[str, dict[str, Place]]:
    """For each of these splits where so many of its products belong, by id.

    Raises:
        CatalogError: The catalog or the splits cannot be read.
    """
    place_of = given_places(splits, catalog.schema) or _half
    by_split: dict[str, dict[str, Place]] = {split: {} for split in wanted}
    for row in catalog.products():
        if isinstance(row, Product) and (place := place_of(row)) and place.split in by_split:
            by_split[place.split][row.id] = place
    return {
        split: {id_: places[id_] for id_ in heapq.nsmallest(most, places, key=_digest)}
        for split, places in by_split.items()
    }


def everyday_words(base: Encoder, pairs: Pairs, schema: CatalogSchema) -> General:
    """How alike model and base see the shop's pictures in everyday words: 1 is the base itself.

    The cosine of a picture and a word says three things: what the picture is like to all words,
    what the word is like to all pictures, and what just this picture has of just this word. Only
    the last finds anything, so the first two are taken out, and what is left of the model is
    correlated with what is left of the base. Words of the shop's own captions are what it is
    trained to see differently, and are not asked.

    It is the stricter guard: for one training of a small base on another shop's pictures, blends
    that lost 1.0, 2.3, 3.7, 6.3 and 15 % on the base's own catalog lost 2.3, 5.0, 8.6, 13 and 25 %
    of agreement; top-1 words alone would have lost 38 to 81 %.

    Args:
        base: The base, with its own weights.
        pairs: The shop's products; those of "val" and "test" are looked at.
        schema: Says what captions are made of.
    """
    own = {word for product in pairs.products for word in _words_of(product, schema)}
    words = [word for word in EVERYDAY if word not in own]
    wanted = {split: _cosines(base, pairs, split, words) for split in ("val", "test")}

    def score(model: Encoder, split: str) -> float:
        return agreement(wanted[split], _cosines(model, pairs, split, words))

    return General(f"agreement with the base on {len(words)} everyday words", score)


def agreement(base_NW: NDArray[np.float32], model_NW: NDArray[np.float32]) -> float:
    """The correlation of what just a picture has of just a word; 0 where there is no such thing."""
    a_NW, b_NW = _interaction(base_NW), _interaction(model_NW)
    lengths = np.sqrt((a_NW**2).sum() * (b_NW**2).sum())
    return float((a_NW * b_NW).sum() / lengths) if lengths else 0.0


def _interaction(cosine_NW: NDArray[np.float32]) -> NDArray[np.float64]:
    cosine_NW = cosine_NW.astype(np.float64)
    by_word = cosine_NW.mean(axis=0, keepdims=True)
    by_picture = cosine_NW.mean(axis=1, keepdims=True)
    interaction: NDArray[np.float64] = cosine_NW - by_word - by_picture + cosine_NW.mean()
    return interaction


def _cosines(
    encoder: Encoder, pairs: Pairs, split: str, words: Sequence[str]
) -> NDArray[np.float32]:
    """`cosine_NW` of at most `MOST` pictures of a split, evenly picked."""
    numbers = pairs.numbers(split)
    numbers = numbers[:: 1 + len(numbers) // MOST]
    _, picture_ND = embedded(pairs, numbers, encoder)
    cosine_NW: NDArray[np.float32] = picture_ND @ encoder.texts(words).T
    return cosine_NW


def _words_of(product: Product, schema: CatalogSchema) -> set[str]:
    return {word for text in all_facts(product, schema).values() for word in text.split()}


def _half(product: Product) -> Place:
    return Place("val" if _digest(product.id)[0] < 128 else "test")


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
