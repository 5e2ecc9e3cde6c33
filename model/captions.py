"""What a product is called during training: its title, a free text, or a phrase of attributes.

A *fact* is one thing that the catalog says of a product: `title`, a free text by its column, or
a keyword field by its name.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from goods.schema import CatalogSchema

PHRASE_SHARE = 0.5  # half as people describe things, half as shops name them
TEXT_SHARE = 0.25  # of the named ones, where the catalog has free texts
KEEP_SHARE = 0.6  # of the words before the noun: "women red dress", "red dress", "dress"


@dataclass(frozen=True, slots=True)
class Caption:
    """One text of one product.

    Attributes:
        text: The words.
        facts: The facts that they state: the text is true of every product with these.
    """

    text: str
    facts: Mapping[str, str]


def plain(text: str) -> str:
    """The text in lower case with single spaces: what makes two captions the same."""
    return " ".join(text.lower().split())


def phrase_facts(product: Product, fields: Sequence[str]) -> dict[str, str]:
    """The values of these keyword fields that the product has, in reading order."""
    found = {name: product.attributes[name] for name in fields if name in product.attributes}
    return {
        name: plain(" ".join(value) if isinstance(value, tuple) else str(value))
        for name, value in found.items()
    }


def all_facts(product: Product, schema: CatalogSchema) -> dict[str, str]:
    """Every fact that captions can state of a product; empty when it has none."""
    named = {"title": product.title, **product.texts}
    told = {name: plain(text) for name, text in named.items()}
    return {name: text for name, text in told.items() if text} | phrase_facts(
        product, schema.phrase
    )


class Captioner:
    """Draws a caption for each product and epoch: the same one for the same seed.

    Args:
        products: The products, which are then known by their numbers.
        schema: Says which fields make a phrase.
        seed: Of the draws.
    """

    def __init__(self, products: Sequence[Product], schema: CatalogSchema, seed: int) -> None:
        self._ids = [product.id for product in products]
        self._facts = [all_facts(product, schema) for product in products]
        self._phrase = schema.phrase
        self._seed = seed

    def has_any(self, number: int) -> bool:
        """Whether there is anything to say of a product."""
        return bool(self._facts[number])

    def draw(self, number: int, epoch: int) -> Caption:
        """The caption of a product in one epoch."""
        rng = random.Random(f"{self._seed} {epoch} {self._ids[number]}")  # noqa: S311 - no secret
        facts = self._facts[number]
        words = [name for name in self._phrase if name in facts]
        names = [name for name in facts if name not in self._phrase]
        if words and (not names or rng.random() < PHRASE_SHARE):
            *before, noun = words
            chosen = [name for name in before if rng.random() < KEEP_SHARE] + [noun]
        elif len(names) > 1 and rng.random() < TEXT_SHARE:
            chosen = [rng.choice(names[1:])]
        else:
            chosen = names[:1]
        stated = {name: facts[name] for name in chosen}
        return Caption(" ".join(stated.values()), stated)

    def positives(self, numbers: Sequence[int], captions: Sequence[Caption]) -> NDArray[np.bool_]:
        """`is_true_BB`: whether caption j is true of product i, not only of its own."""
        is_true_BB = np.empty((len(numbers), len(captions)), bool)
        columns: dict[str, NDArray[np.bool_]] = {}
        for column, caption in enumerate(captions):
            if caption.text not in columns:
                stated = caption.facts.items()
                columns[caption.text] = np.array(
                    [stated <= self._facts[n].items() for n in numbers]
                )
            is_true_BB[:, column] = columns[caption.text]
        return is_true_BB
