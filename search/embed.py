"""The vector of a query, from the vectors of its parts."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from goods.errors import PictureError, PictureFault, QueryError
from goods.index import Vector
from goods.pictures import PictureLimits, PictureLoader
from goods.product import Picture, absolute_location
from search.deadline import check
from search.query import Example, Query

SOON = PictureLimits(patience_s=5)
"""Of pictures that somebody waits for: a host that is down is no reason to wait for minutes."""

_SMALLEST = 1e-3  # a vector this short has no direction of its own


class QueryEncoder(Protocol):
    """What makes vectors of texts and pictures: a model's `Encoder`, or what asks one."""

    @property
    def image_size(self) -> int:
        """Pixels that the shorter side of a decoded picture needs."""

    def texts(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """`(N, D)` unit vectors, in the order of the texts."""

    def images(self, images: Iterable[Image.Image]) -> NDArray[np.float32]:
        """`(N, D)` unit vectors, in the order of the images."""


def embed(
    query: Query,
    encoder: Callable[[], QueryEncoder],
    products: Mapping[str, Vector],
    limits: PictureLimits = SOON,
) -> Vector:
    """The unit vector that a query stands for.

    Args:
        query: What to look for; not empty.
        encoder: Gives the model; only asked when the query has a text or a picture.
        products: The vectors of the products that it names, by the shop's id.
        limits: What a picture may cost, and where it may come from.

    Raises:
        PictureError: A picture cannot be used.
        QueryError: The parts cancel each other out.
    """
    texts = [*query.texts, *query.minus_texts]
    images = [*query.images, *query.minus_images]
    said = list(encoder().texts(texts)) if texts else []
    loaded = _loaded(images, limits, encoder().image_size) if images else ()
    seen = list(encoder().images(loaded)) if images else []
    wanted, shown = len(query.texts), len(query.images)
    likes = [products[name] for name in query.products]
    unlike = [products[name] for name in query.minus_products]
    return _normalised(
        (
            *(query.text_weight * vector for vector in said[:wanted]),
            *seen[:shown],
            *likes,
            *(-query.minus_weight * v for v in (*said[wanted:], *seen[shown:], *unlike)),
        )
    )


def _normalised(parts: Iterable[Vector]) -> Vector:
    total = np.sum(list(parts), axis=0)
    length = float(np.linalg.norm(total))
    if length < _SMALLEST:
        raise QueryError("what to look for and what to move away from are the same; change one")
    vector: Vector = (total / length).astype(np.float32)
    return vector


def _loaded(
    pictures: Sequence[Example], limits: PictureLimits, at_least: int
) -> Iterator[Image.Image]:
    with PictureLoader(limits) as loader:
        for picture in pictures:
            check()
            if isinstance(picture, Image.Image):
                yield picture
            else:
                yield loader.load(_picture(picture), at_least=at_least)


def _picture(source: str | Path | bytes) -> Picture:
    if isinstance(source, bytes):
        return Picture("the query picture", source)
    location = absolute_location(str(source), Path.cwd())
    if "://" not in location and not Path(location).exists():
        fault = f"{location}: there is no such picture to search by; name a file or a URL"
        raise PictureError(PictureFault.GONE, fault)
    return Picture(location)
