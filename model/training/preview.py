"""What products will be called in a training, to be looked at before it has cost anything."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from goods.catalog import Catalog
from goods.errors import TrainingError
from goods.product import Product
from model.captions import Caption, Captioner
from model.training.settings import TrainSettings

EPOCHS = 3
"""Looked at: enough to see what changes from one to the next."""

_FREQUENT = 10


@dataclass(frozen=True, slots=True)
class Called:
    """One product.

    Attributes:
        product: Its id.
        epochs: For each of the first epochs its captions.
    """

    product: str
    epochs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Frequent:
    """A caption, and how often it is said."""

    caption: str
    times: int


@dataclass(frozen=True, slots=True)
class CaptionPreview:
    """What a training will say of its products; counted over the first epochs.

    Attributes:
        products: In the catalog, held-out ones as well.
        silent: Those of which there is nothing to say: they are not trained on.
        said: Captions, each as often as it is said.
        distinct: Different ones.
        titles: The share that are titles.
        texts: ... that are of a free text.
        phrases: ... that are phrases of attributes.
        frequent: Those said most often.
        examples: Some products, from all over the catalog.
        examples_silent: Ids of some of which there is nothing to say.
    """

    products: int
    silent: int
    said: int
    distinct: int
    titles: float
    texts: float
    phrases: float
    frequent: tuple[Frequent, ...]
    examples: tuple[Called, ...]
    examples_silent: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain form, for machines."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        width = max((len(called.product) for called in self.examples), default=0) + 2
        for called in self.examples:
            name = called.product
            for captions in called.epochs:
                yield f"{name:<{width}}{' | '.join(captions)}"
                name = ""
        yield ""
        yield (
            f"{self.products:,} products; {self.said:,} captions in {EPOCHS} epochs, "
            f"{self.distinct:,} distinct: {self.titles:.0%} titles, {self.texts:.0%} free texts, "
            f"{self.phrases:.0%} phrases of attributes"
        )
        if self.silent:
            some = ", ".join(self.examples_silent)
            yield f"{self.silent:,} products have no caption and are not trained on: {some} ..."
        yield "said most often:"
        for frequent in self.frequent:
            yield f"{frequent.times:>9,} x  {frequent.caption}"


def preview_captions(catalog: Catalog, settings: TrainSettings, count: int) -> CaptionPreview:
    """What a training with these settings will call the products of a catalog; no model is loaded.

    Raises:
        TrainingError: There is no product.
    """
    rows = islice(catalog.products(), settings.limit)
    products = [row for row in rows if isinstance(row, Product)]
    if not products:
        raise TrainingError(f"{catalog.location} has no product that could be called anything")
    captioner = Captioner(products, catalog.schema, settings.seed, settings.recipe.captions)
    told = [number for number in range(len(products)) if captioner.has_any(number)]
    silent = [product.id for n, product in enumerate(products) if not captioner.has_any(n)]
    counts, kinds = Counter[str](), Counter[str]()
    for epoch in range(1, EPOCHS + 1):
        for number in told:
            for caption in captioner.draw(number, epoch):
                counts[caption.text] += 1
                kinds[_kind(caption, catalog.schema.phrase)] += 1
    said = max(1, kinds.total())
    return CaptionPreview(
        products=len(products),
        silent=len(silent),
        said=kinds.total(),
        distinct=len(counts),
        titles=kinds["title"] / said,
        texts=kinds["text"] / said,
        phrases=kinds["phrase"] / said,
        frequent=tuple(Frequent(*both) for both in counts.most_common(_FREQUENT)),
        examples=tuple(
            Called(products[number].id, tuple(_texts(captioner, number)))
            for number in told[:: max(1, -(-len(told) // count))]
        ),
        examples_silent=tuple(silent[:3]),
    )


def _texts(captioner: Captioner, number: int) -> Iterator[tuple[str, ...]]:
    for epoch in range(1, EPOCHS + 1):
        yield tuple(caption.text for caption in captioner.draw(number, epoch))


def _kind(caption: Caption, phrase: Sequence[str]) -> str:
    if "title" in caption.facts:
        return "title"
    return "phrase" if caption.facts.keys() <= set(phrase) else "text"
