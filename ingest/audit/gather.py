"""One pass over a catalog: its products, what their pictures look like, and their vectors.

Legend: P products whose pictures could be read, D the dimension of a vector.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from goods.catalog import Catalog, RefusedRow
from goods.errors import PictureError, PictureFault
from goods.index import Vector
from goods.pictures import PictureLoader
from goods.product import Picture, Product
from goods.schema import CatalogSchema
from goods.streams import batches, map_ahead
from ingest.audit.look import Look, look_at
from ingest.audit.reuse import IndexVectors
from model.encoder import Encoder

_LOOK_AHEAD = 4  # batches whose pictures may be in memory


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A product whose picture cannot be shown, and why."""

    product: Product
    fault: PictureFault
    message: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the checks look at.

    Memory: a product and its look, some 2 kB, and P x D numbers of 4 bytes; no pixel.

    Attributes:
        schema: What the columns are for.
        products: Every product, in catalog order.
        refused: Rows that are no products.
        unreadable: Products without a picture that can be read.
        pictured: The P others, in catalog order.
        looks: Of their pictures.
        vectors_PD: Of their pictures, unit length; None without a model.
        reused: How many of the vectors came from an index.
    """

    schema: CatalogSchema
    products: Sequence[Product]
    refused: Sequence[RefusedRow]
    unreadable: Sequence[Unreadable]
    pictured: Sequence[Product]
    looks: Sequence[Look]
    vectors_PD: NDArray[np.float32] | None
    reused: int = 0


@dataclass(frozen=True, slots=True)
class Gathering:
    """How to gather.

    Attributes:
        encoder: Makes the vectors; without it there are none.
        index: Has vectors already, made by the same model.
        batch_size: Pictures embedded at a time.
        threads: Threads that read and decode pictures.
        limit: Take only the first so many rows.
    """

    encoder: Encoder | None = None
    index: IndexVectors | None = None
    batch_size: int = 64
    threads: int = 4
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A product whose picture was read; pixels (1, ...) when there is a model."""

    product: Product
    look: Look
    pixels: torch.Tensor | None


@dataclass(slots=True)
class _Pile:
    """What grows during the pass."""

    products: list[Product] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    pictured: list[Product] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    vectors: list[NDArray[np.float32]] = field(default_factory=list)


def gather(
    catalog: Catalog,
    loader: PictureLoader,
    how: Gathering,
    progress: Callable[[int], None] | None = None,
) -> Gathered:
    """Everything that the checks need, read once.

    Args:
        catalog: What the shop has.
        loader: Where pictures come from.
        how: With which model, and how fast.
        progress: Told how many rows are dealt with.

    Raises:
        CatalogError: The rest of the file cannot be read.
        IndexStoreError: The index cannot be read.
    """
    pile, reused = _Pile(), 0
    with ThreadPoolExecutor(how.threads) as pool:
        depth = _LOOK_AHEAD * how.batch_size
        looked = map_ahead(_look(loader, how.encoder), _good(catalog, how, pile), pool, depth)
        for batch in batches(looked, how.batch_size):
            seen = [item for item in batch if isinstance(item, _Seen)]
            pile.unreadable += [item for item in batch if isinstance(item, Unreadable)]
            products, looks = [item.product for item in seen], [item.look for item in seen]
            pile.pictured += products
            pile.looks += looks
            if how.encoder and seen:
                known = how.index.of(products, looks) if how.index else {}
                pile.vectors.append(_vectors(seen, known, how.encoder))
                reused += len(known)
            if progress:
                progress(len(pile.looks) + len(pile.unreadable) + len(pile.refused))
    return Gathered(
        catalog.schema,
        pile.products,
        pile.refused,
        pile.unreadable,
        pile.pictured,
        pile.looks,
        _stacked(pile.vectors, how.encoder) if how.encoder else None,
        reused,
    )


def _good(catalog: Catalog, how: Gathering, pile: _Pile) -> Iterator[Product]:
    """The catalog's products; each is noted without the bytes of its picture."""
    for row in islice(catalog.products(), how.limit):
        if isinstance(row, RefusedRow):
            pile.refused.append(row)
        else:
            pile.products.append(_without_bytes(row))
            yield row


def _look(
    loader: PictureLoader, encoder: Encoder | None
) -> Callable[[Product], _Seen | Unreadable]:
    """What a thread does with a product."""

    def work(product: Product) -> _Seen | Unreadable:
        try:
            data, name = loader.read(product.picture), product.picture.location
            looked = look_at(data, name, loader.limits, encoder.image_size if encoder else 0)
        except PictureError as error:
            return Unreadable(_without_bytes(product), error.fault, str(error))
        pixels = encoder.pixels([looked.image]) if encoder else None
        return _Seen(_without_bytes(product), looked.look, pixels)

    return work


def _vectors(
    seen: Sequence[_Seen], known: dict[int, Vector], encoder: Encoder
) -> NDArray[np.float32]:
    """A vector for each, embedding only those that the index does not know."""
    vectors_BD = np.empty((len(seen), encoder.dimension), np.float32)
    fresh = [n for n in range(len(seen)) if n not in known]
    for n, vector in known.items():
        vectors_BD[n] = vector
    if fresh:
        pixels = [item.pixels for item in (seen[n] for n in fresh) if item.pixels is not None]
        vectors_BD[fresh] = encoder.embed_pixels(torch.cat(pixels))
    return vectors_BD


def _stacked(vectors: Sequence[NDArray[np.float32]], encoder: Encoder) -> NDArray[np.float32]:
    return np.concatenate([np.empty((0, encoder.dimension), np.float32), *vectors])


def _without_bytes(product: Product) -> Product:
    return product.with_picture(Picture(product.picture.location))
