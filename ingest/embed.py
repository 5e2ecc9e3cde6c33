"""From pixels to vectors, on the model's device."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from goods.errors import ModelError
from goods.index import Vector
from goods.product import Product
from goods.streams import ahead
from ingest.batch_size import BatchSize
from ingest.clock import StageClock
from ingest.journal import Seen
from ingest.load import Loaded
from ingest.plan import Work
from model.encoder import Encoder

T = TypeVar("T")

LONGEST_WAIT = 1024
"""Products that need no embedding, for which a batch is not held back any longer."""

_SENT_AHEAD = 1  # batches that wait in the device's memory


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


@dataclass(frozen=True, slots=True)
class _Batch:
    """Products that are finished together; the pictures to embed for them, and their pixels."""

    waiting: Sequence[Loaded]
    pictures: Sequence[str]
    pixels: torch.Tensor | None


class Embedding:
    """Embeds what is loaded; owns the vectors of the last few pictures.

    Where the device has a memory of its own, a thread gathers the next batch and sends it there
    while this one is embedded.

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
        self._begun: OrderedDict[str, None] = OrderedDict()  # pictures, of whoever gathers
        self._recent: OrderedDict[str, Vector] = OrderedDict()  # the same, once they are embedded
        self._is_ready = False

    def embed(self, loaded: Iterable[Loaded]) -> Iterator[list[Embedded]]:
        """The products in order, in batches, all with their vectors."""
        gathered = self._gathered(loaded)
        for batch in ahead(gathered, _SENT_AHEAD) if self._encoder.sends else gathered:
            yield self._finished(batch)

    def _gathered(self, loaded: Iterable[Loaded]) -> Iterator[_Batch]:
        waiting: list[Loaded] = []
        pixels: dict[str, torch.Tensor] = {}
        for item in loaded:
            waiting.append(item)
            if isinstance(item.image, torch.Tensor) and item.picture not in self._begun:
                pixels.setdefault(item.picture, item.image)
            if len(pixels) >= self._size.size or len(waiting) >= LONGEST_WAIT:
                yield self._batch(waiting, pixels)
                waiting, pixels = [], {}
        if waiting:
            yield self._batch(waiting, pixels)

    def _batch(self, waiting: Sequence[Loaded], pixels: Mapping[str, torch.Tensor]) -> _Batch:
        self._begun.update(dict.fromkeys(pixels))
        self._forget(self._begun)
        sent = self._encoder.sent(torch.cat(list(pixels.values()))) if pixels else None
        return _Batch(waiting, list(pixels), sent)

    def _finished(self, batch: _Batch) -> list[Embedded]:
        if batch.pixels is not None:
            vectors = self._vectors(batch.pixels)
            self._recent.update(zip(batch.pictures, vectors, strict=True))
        fresh = set(batch.pictures)
        done = [self._with_vector(item, fresh) for item in batch.waiting]
        self._forget(self._recent)
        return done

    def _forget(self, pictures: OrderedDict[str, T]) -> None:
        """Drop the oldest.

        Both lists see the same pictures in the same order: what one has begun and not forgotten,
        the other has when that batch is finished.
        """
        while len(pictures) > self._remembered:
            pictures.popitem(last=False)

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

    def _vectors(self, pixels: torch.Tensor) -> list[Vector]:
        """The vectors of these pictures; in halves when the device has too little memory."""
        encoder = self._prepared()
        started = time.perf_counter()
        try:
            with self._clock.measure("embed", len(pixels)):
                vectors = list(encoder.embed_pixels(pixels))
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
