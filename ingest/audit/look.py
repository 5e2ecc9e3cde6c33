"""What is kept of a picture once it was looked at: some 600 bytes, never its pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from goods.images import open_image
from goods.pictures import PictureLimits, decode
from ingest.recognise import digest_of
from model.groups import thumbnail

HASH_SIDE = 16
"""A difference hash has this many bits in each of this many rows."""

_MIN_SIDE = 64  # pixels that a large JPEG is decoded to, at the least


@dataclass(frozen=True, slots=True)
class Look:
    """One picture.

    Attributes:
        digest: Of its encoded bytes, as indexes keep it.
        width: In pixels, as stored.
        height: Likewise.
        thumbnail: 8 x 8 mean colours, flat, uint8 (`model.groups.thumbnail`).
        hash: 256 bits, packed: whether each of 16 x 16 cells is darker than its right neighbour.
    """

    digest: str
    width: int
    height: int
    thumbnail: NDArray[np.uint8]
    hash: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Looked:
    """A look and the image that it was taken of."""

    look: Look
    image: Image.Image


def look_at(data: bytes, name: str, limits: PictureLimits, at_least: int = 0) -> Looked:
    """The look of an encoded picture, and its image with `at_least` so many pixels a side.

    Raises:
        PictureError: It is too large or too small, broken, blank, or no picture.
    """
    image = decode(data, name, limits, max(at_least, _MIN_SIDE))
    width, height = open_image(data, limits.max_pixels).size  # a JPEG may be decoded smaller
    look = Look(digest_of(data), width, height, thumbnail(image), difference_hash(image))
    return Looked(look, image)


def difference_hash(image: Image.Image) -> NDArray[np.uint8]:
    """`HASH_SIDE` squared bits, packed, that survive resizing and compression."""
    grey = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    cells = np.asarray(grey).astype(np.int16)
    return np.packbits(cells[:, :-1] < cells[:, 1:])
