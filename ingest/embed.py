"""From pixels to vectors, on the model's device."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from goods.errors import ModelError
from goods.index import Vector
from goods.product import Product
from ingest.batch_size import BatchSize
from ingest.clock import StageClock
from ingest.journal import Seen
from ingest.load import Loaded
from ingest.plan import Work
from model.encoder import Encoder

LONGEST_WAIT = 1024
"""Products that need no embedding, for which a batch is not held back any longer."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A product with its vector; the rest is as in `Loaded`.

    Attributes:
        is_fresh: Whether the vector was made just now.
    """

    product: Product
    work: Work
    payload: str
    picture: str
    vector: Vector
    seen: Seen | None
    is_fresh: bool


class Embedding:
    """Embeds what is loaded; owns the vectors of the last few pictures.

    Args:
        encoder: The model.
        size: How many pictures to embed at a time.
        remembered: Pictures whose vectors are remembered: as many as may be on their way, so that
            a picture of two products is embedded once even before the journal has it.
        clock: Told how long the device was busy.
    """

    def __init__(
        self, encoder: Encoder, size: BatchSize, remembered: int, clock: StageClock
    ) -> None:
        self._encoder = encoder
        self._size = size
        self._remembered = remembered
        self._clock = clock
        self._recent: OrderedDict[str, Vector] = OrderedDict()
        self._is_ready = False

    def embed(self, loaded: Iterable[Loaded]) -> Iterator[list[Embedded]]:
        """The products in order, in batches, all with their vectors."""
        waiting: list[Loaded] = []
        pixels: dict[str, torch.Tensor] = {}
        for item in loaded:
            waiting.append(item)
            if isinstance(item.image, torch.Tensor) and item.picture not in self._recent:
                pixels.setdefault(item.picture, item.image)
            if len(pixels) >= self._size.size or len(waiting) >= LONGEST_WAIT:
                yield self._finished(waiting, pixels)
                waiting, pixels = [], {}
        if waiting:
            yield self._finished(waiting, pixels)

    def _finished(
        self, waiting: Sequence[Loaded], pixels: Mapping[str, torch.Tensor]
    ) -> list[Embedded]:
        if pixels:
            vectors = self._vectors(list(pixels.values()))
            self._recent.update(zip(pixels, vectors, strict=True))
        fresh = set(pixels)
        done = [self._with_vector(item, fresh) for item in waiting]
        while len(self._recent) > self._remembered:
            self._recent.popitem(last=False)
        return done

    def _with_vector(self, item: Loaded, fresh: set[str]) -> Embedded:
        image = item.image
        vector = self._recent[item.picture] if isinstance(image, torch.Tensor) else image
        is_fresh = item.picture in fresh
        fresh.discard(item.picture)
        return Embedded(
            item.product, item.work, item.payload, item.picture, vector, item.seen, is_fresh
        )

    def _prepared(self) -> Encoder:
        """The encoder, ready: an export of its model would be no measure of how fast it embeds."""
        if not self._is_ready and self._encoder.backend:
            with self._clock.measure("export"):
                self._encoder.prepare()
        self._is_ready = True
        return self._encoder

    def _vectors(self, pixels: Sequence[torch.Tensor]) -> list[Vector]:
        """The vectors of these pictures; in halves when the device has too little memory."""
        encoder = self._prepared()
        started = time.perf_counter()
        try:
            with self._clock.measure("embed", len(pixels)):
                vectors = list(encoder.embed_pixels(torch.cat(list(pixels))))
        except torch.OutOfMemoryError as error:
            if not self._size.was_too_large(len(pixels)):
                raise ModelError(
                    "the device has too little memory for one picture; "
                    "end what else runs on it, or use --device cpu"
                ) from error
        else:
            self._size.took(len(pixels), time.perf_counter() - started)
            return vectors
        torch.cuda.empty_cache()
        middle = (len(pixels) + 1) // 2
        return [*self._vectors(pixels[:middle]), *self._vectors(pixels[middle:])]
