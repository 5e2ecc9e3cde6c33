"""Where in a picture a query is: what each part of it adds to its likeness with the query.

A window slides over the picture and is painted over with the picture's background; what the cosine
loses is what the model saw there (occlusion: Zeiler & Fergus 2014, section 4.2). This needs nothing
of the model but its vectors, so it holds for every checkpoint, and the empty background, which
changes nothing, is cold by construction. See benchmarks/heat.md for what else was tried.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from goods.index import Vector

GRID = 8
"""Places along each side; their square is what a map costs, in pictures to embed."""

WINDOW = 2
"""Places that a window is wide."""


class PictureEncoder(Protocol):
    """What embeds pictures: an `Encoder`, or what asks one."""

    @property
    def image_size(self) -> int:
        """Pixels that the shorter side of a decoded picture needs."""

    def images(self, images: Iterable[Image.Image]) -> NDArray[np.float32]:
        """`(N, D)` unit vectors, in the order of the images."""


def heat_map(encoder: PictureEncoder, image: Image.Image, query: Vector) -> NDArray[np.float32]:
    """`(GRID, GRID)` cosines that are lost without the window around each place, from the top left.

    Numbers below 0 are of parts that the query is better off without.

    Args:
        encoder: The model that made the query's vector.
        image: The picture.
        query: A unit vector.
    """
    small = image.convert("RGB")
    small.thumbnail((2 * encoder.image_size, 2 * encoder.image_size))
    cosines = encoder.images(_occluded(np.asarray(small))) @ query
    lost: NDArray[np.float32] = cosines[0] - cosines[1:]
    return lost.reshape(GRID, GRID)


def _occluded(pixels_HWC: NDArray[np.uint8]) -> Iterator[Image.Image]:
    """The whole picture, then for each place the picture without the window around it."""
    rows, columns = (_windows(size) for size in pixels_HWC.shape[:2])
    edge = [pixels_HWC[0], pixels_HWC[-1], pixels_HWC[:, 0], pixels_HWC[:, -1]]
    background = np.median(np.concatenate(edge), axis=0).astype(np.uint8)
    yield Image.fromarray(pixels_HWC)
    for row in rows:
        for column in columns:
            without = pixels_HWC.copy()
            without[row, column] = background
            yield Image.fromarray(without)


def _windows(size: int) -> list[slice]:
    """Along one side the pixels of the window around each place; at least one."""
    middles, reach = (np.arange(GRID) + 0.5) * size / GRID, WINDOW * size / GRID / 2
    starts = np.maximum(middles - reach, 0).astype(int)
    ends = np.maximum((middles + reach).astype(int), starts + 1)
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]
