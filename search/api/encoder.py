"""A model that many threads ask at once: their texts and pictures embedded in common batches."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.encoder import Encoder
from search.api.counters import Counters
from search.deadline import left_s

T = TypeVar("T")
Row = NDArray[np.float32]

CACHED = 20_000
"""Vectors kept: 40 MB of them at 512 dimensions."""

LARGEST_BATCH = 32
"""Texts or pictures embedded at a time; more would make the first of them wait for the last."""


class Batches(Generic[T]):
    """Embeds what several threads bring: what arrives during one batch makes up the next.

    Args:
        embed: Gives `(N, D)` vectors for N items, in their order.
        seen: Told the size of every batch.
    """

    def __init__(
        self, embed: Callable[[Sequence[T]], NDArray[np.float32]], seen: Callable[[int], object]
    ) -> None:
        self._embed = embed
        self._seen = seen
        self._waiting: SimpleQueue[tuple[T, Future[Row]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._thread.start()

    def submit(self, item: T) -> Future[Row]:
        """The vector of an item, as soon as it is embedded."""
        future: Future[Row] = Future()
        self._waiting.put((item, future))
        return future

    def close(self) -> None:
        """End after what is waiting."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [self._waiting.get()]
            while len(batch) < LARGEST_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get())
            is_open = None not in batch
            self._answer([one for one in batch if one is not None])

    def _answer(self, asked: Sequence[tuple[T, Future[Row]]]) -> None:
        batch = [one for one in asked if one[1].set_running_or_notify_cancel()]
        if not batch:
            return
        self._seen(len(batch))
        try:
            vectors = self._embed([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - raised again in the threads that wait for it
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), vector in zip(batch, vectors, strict=True):
            future.set_result(vector.copy())  # not the whole batch with it


class SharedEncoder:
    """An `Encoder` for many threads at once, which remembers what it embedded.

    Args:
        encoder: The model.
        counters: Told of batches and of what was remembered.
        cached: How many vectors are remembered.
    """

    def __init__(self, encoder: Encoder, counters: Counters, cached: int = CACHED) -> None:
        self.model = encoder
        self._counters = counters
        self._texts = Batches[str](encoder.texts, counters.text_batch.observe)
        self._images = Batches[Image.Image](encoder.images, counters.picture_batch.observe)
        self._known: OrderedDict[bytes, Row] = OrderedDict()
        self._cached = cached
        self._lock = threading.Lock()

    @property
    def image_size(self) -> int:
        """Pixels that the shorter side of a decoded picture needs."""
        return self.model.image_size

    def texts(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """`(N, D)` unit vectors, in the order of the texts."""
        return self._vectors(self._texts, ((_digest_of_text(text), text) for text in texts))

    def images(self, images: Iterable[Image.Image]) -> NDArray[np.float32]:
        """`(N, D)` unit vectors, in the order of the images."""
        return self._vectors(self._images, ((_digest_of_image(one), one) for one in images))

    def close(self) -> None:
        """End the threads."""
        self._texts.close()
        self._images.close()

    def _vectors(
        self, batches: Batches[T], items: Iterable[tuple[bytes, T]]
    ) -> NDArray[np.float32]:
        rows: list[Row | tuple[bytes, Future[Row]]] = []
        for digest, item in items:
            row = self._remembered(digest)
            rows.append((digest, batches.submit(item)) if row is None else row)
        vectors = [self._awaited(*row) if isinstance(row, tuple) else row for row in rows]
        return np.stack(vectors) if vectors else np.empty((0, self.model.dimension), np.float32)

    def _awaited(self, digest: bytes, future: Future[Row]) -> Row:
        try:
            row = future.result(left_s())
        except TimeoutError:
            future.cancel()  # or a flood of texts that nobody waits for keeps the model busy
            raise
        with self._lock:
            self._known[digest] = row
            while len(self._known) > self._cached:
                self._known.popitem(last=False)
        return row

    def _remembered(self, digest: bytes) -> Row | None:
        with self._lock:
            row = self._known.get(digest)
            if row is not None:
                self._known.move_to_end(digest)
        self._counters.embedded(is_known=row is not None)
        return row


def _digest_of_text(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _digest_of_image(image: Image.Image) -> bytes:
    seen = hashlib.blake2b(f"{image.mode} {image.size}".encode(), digest_size=16)
    seen.update(image.tobytes())
    return seen.digest()
