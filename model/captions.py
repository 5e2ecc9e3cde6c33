"""What a product is called during training: its title, a free text, or a phrase of attributes.

A *fact* is one thing that the catalog says of a product: `title`, a free text by its column, or
a keyword field by its name.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from goods.product import Product
from goods.schema import CatalogSchema, FieldKind
from model.caption_mix import CaptionMix


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
    """The values of these keyword fields that the product has, in reading order, made plain."""
    return {name: plain(words) for name, words in phrase_words(product, fields).items()}


def phrase_words(product: Product, fields: Sequence[str]) -> dict[str, str]:
    """The same as the catalog spells them."""
    found = {name: product.attributes[name] for name in fields if name in product.attributes}
    return {
        name: " ".join(value) if isinstance(value, tuple) else str(value)
        for name, value in found.items()
    }


def said_of(product: Product, schema: CatalogSchema) -> tuple[str, ...]:
    """What a shopper may call it: its title, and its fields in a phrase; without what is empty."""
    names = schema.phrase or tuple(field.name for field in schema.of_kind(FieldKind.KEYWORD))
    phrase = " ".join(phrase_words(product, names).values())
    return tuple(filter(None, (product.title.strip(), phrase.strip())))


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
        mix: How often a product is called what.
    """

    def __init__(
        self,
        products: Sequence[Product],
        schema: CatalogSchema,
        seed: int,
        mix: CaptionMix = CaptionMix(),  # noqa: B008 - it is frozen
    ) -> None:
        self._ids = [product.id for product in products]
        self._facts = [all_facts(product, schema) for product in products]
        self._phrase = schema.phrase
        self._seed = seed
        self._mix = mix

    def has_any(self, number: int) -> bool:
        """Whether there is anything to say of a product."""
        return bool(self._facts[number])

    def draw(self, number: int, epoch: int) -> tuple[Caption, ...]:
        """The captions of a product in one epoch: one, or by name and by phrase."""
        rng = random.Random(f"{self._seed} {epoch} {self._ids[number]}")  # noqa: S311 - no secret
        facts = self._facts[number]
        words = [name for name in self._phrase if name in facts]
        names = [name for name in facts if name not in self._phrase]
        if self._mix.is_both and words and names:
            drawn = [self._words(words, rng), self._name(names, rng)]
        elif words and (not names or rng.random() < self._mix.phrase_share):
            drawn = [self._words(words, rng)]
        else:
            drawn = [self._name(names, rng)]
        return tuple(_caption({name: facts[name] for name in chosen}) for chosen in drawn)

    def positives(self, numbers: Sequence[int], captions: Sequence[Caption]) -> NDArray[np.bool_]:
        """`is_true_BT`: whether caption t is true of product b, not only of its own."""
        is_true_BT = np.ones((len(numbers), len(captions)), bool)
        for name in {name for caption in captions for name in caption.facts}:
            # Compared as numbers: a batch of 1,024 takes 13 ms instead of 133.
            code = defaultdict[str | None, int](count().__next__)
            own_B = np.array([code[self._facts[number].get(name)] for number in numbers])
            said_T = np.array([code[c.facts[name]] if name in c.facts else -1 for c in captions])
            is_true_BT &= (said_T == -1) | (own_B[:, None] == said_T)
        return is_true_BT

    def _words(self, words: Sequence[str], rng: random.Random) -> list[str]:
        *before, noun = words
        return [name for name in before if rng.random() < self._mix.keep_share] + [noun]

    def _name(self, names: Sequence[str], rng: random.Random) -> list[str]:
        if len(names) > 1 and rng.random() < self._mix.text_share:
            return [rng.choice(names[1:])]
        return list(names[:1])


def _caption(stated: Mapping[str, str]) -> Caption:
    return Caption(" ".join(stated.values()), stated)
