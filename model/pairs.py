"""Products with their pixels, in groups and splits: what a model is trained and judged on."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from goods.catalog import RefusedRow
from goods.errors import PictureError
from goods.pictures import PictureLoader
from goods.product import Picture, Product
from goods.streams import map_ahead
from model.groups import THUMBNAIL_BYTES, group_products, thumbnail
from model.pixels import Preprocessing
from model.splits import Place, PlaceOf, split_of_group

log = logging.getLogger(__name__)

_THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some products by number, and their pixels as `Preprocessing.pixels` makes them."""

    numbers: NDArray[np.int64]
    pixels: torch.Tensor


class PictureStore:
    """The pixels of products by number; decoded once, as far as memory allows.

    Args:
        loader: Where pictures come from.
        preprocessing: What makes pixels of them.
        max_bytes: Of pixels kept in memory; the rest is decoded again whenever it is wanted.
    """

    def __init__(self, loader: PictureLoader, preprocessing: Preprocessing, max_bytes: int) -> None:
        self._loader = loader
        self._preprocessing = preprocessing
        self._free_bytes = max_bytes
        self._pictures: list[torch.Tensor | Picture] = []
        self._thumbnails: list[NDArray[np.uint8]] = []

    @property
    def thumbnails(self) -> NDArray[np.uint8]:
        """`(N, THUMBNAIL_BYTES)`."""
        return np.array(self._thumbnails, np.uint8).reshape(-1, THUMBNAIL_BYTES)

    def fill(self, products: Iterable[Product]) -> Iterator[Product | PictureError]:
        """Every product in order, numbered as it comes, or why its picture cannot be read."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for seen in map_ahead(self._see, products, pool, depth=8 * _THREADS):
                if isinstance(seen, PictureError):
                    yield seen
                else:
                    self._keep(seen)
                    yield seen.product

    def batches(self, wanted: Iterable[NDArray[np.int64]]) -> Iterator[Batch]:
        """The pixels of each list of numbers, the next ones made meanwhile.

        A picture that can no longer be read is left out of its batch.
        """
        with ThreadPoolExecutor(_THREADS) as pool:
            for batch in map_ahead(self.batch, wanted, pool, depth=1 + _THREADS):
                if batch is not None:
                    yield batch

    def batch(self, numbers: NDArray[np.int64]) -> Batch | None:
        """The pixels of these products that can still be read; None when there are none.

        Safe to call from several threads.
        """
        found = {n: pixels for n in numbers if (pixels := self._pixels(n)) is not None}
        if not found:
            return None
        return Batch(np.fromiter(found, np.int64), torch.stack(list(found.values())))

    def _see(self, product: Product) -> "_Seen | PictureError":
        # The encoded bytes, where the catalog carried them, would fill the memory.
        light = replace(product, picture=replace(product.picture, data=None))
        try:
            image = self._load(product.picture)
        except PictureError as error:
            return error
        return _Seen(light, self._preprocessing.pixels([image])[0], thumbnail(image))

    def _keep(self, seen: "_Seen") -> None:
        is_kept = seen.pixels.nbytes <= self._free_bytes
        self._free_bytes -= seen.pixels.nbytes if is_kept else 0
        self._pictures.append(seen.pixels if is_kept else seen.product.picture)
        self._thumbnails.append(seen.thumbnail)

    def _pixels(self, number: int) -> torch.Tensor | None:
        picture = self._pictures[number]
        if isinstance(picture, torch.Tensor):
            return picture
        try:
            return self._preprocessing.pixels([self._load(picture)])[0]
        except PictureError as error:
            log.warning("left out of this batch: %s", error)
            return None

    def _load(self, picture: Picture) -> Image.Image:
        return self._loader.load(picture, at_least=self._preprocessing.side)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A product whose picture could be read, on its way into the store."""

    product: Product
    pixels: torch.Tensor
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Products whose pictures can be read.

    Attributes:
        products: The products.
        groups: For each the name of its group: its twins have the same.
        splits: For each "train", "val" or "test".
        pictures: Their pixels, by number.
        refused: Why others were left out, one sentence each.
    """

    products: Sequence[Product]
    groups: Sequence[str]
    splits: Sequence[str]
    pictures: PictureStore
    refused: Sequence[str]

    def numbers(self, split: str) -> NDArray[np.int64]:
        """The numbers of the products of one split, in catalog order."""
        return np.flatnonzero([own == split for own in self.splits])

    def places(self) -> dict[str, Place]:
        """Split and group by product id, for a splits file."""
        rows = zip(self.products, self.splits, self.groups, strict=True)
        return {product.id: Place(split, group) for product, split, group in rows}


def load_pairs(
    rows: Iterable[Product | RefusedRow],
    store: PictureStore,
    place_of: PlaceOf | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Pairs:
    """Every product with a picture, in its group and split.

    Args:
        rows: The catalog.
        store: An empty store; it is filled.
        place_of: The splits, when they are given: a product without a place is passed over. When
            None, whole groups are assigned by a digest of their names.
        progress: Told how many products have been looked at.
    """
    refused: list[str] = []
    products: list[Product] = []
    placed = _good_rows(rows, place_of, refused)
    for done, outcome in enumerate(store.fill(placed), start=1):
        progress(done)
        if isinstance(outcome, PictureError):
            refused.append(str(outcome))
        else:
            products.append(outcome)
    places = [place_of(product) if place_of else None for product in products]
    told = [place.group if place else None for place in places]
    groups = group_products(products, store.thumbnails, told)
    splits = [
        place.split if place else split_of_group(group)
        for place, group in zip(places, groups, strict=True)
    ]
    return Pairs(products, groups, splits, store, refused)


def _good_rows(
    rows: Iterable[Product | RefusedRow], place_of: PlaceOf | None, refused: list[str]
) -> Iterator[Product]:
    for row in rows:
        if isinstance(row, RefusedRow):
            refused.append(row.reason)
        elif place_of is None or place_of(row):
            yield row
