"""Products that must stay together: variants of one design, one title, one picture."""

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from goods.product import Product
from model.captions import plain

# Two photographs are one when their thumbnails differ by less than this, root mean square, of 255.
# Measured on 6,699 photographs: limits from 0.5 to 3 find the same 550 pairs, 79 % of them with one
# title, in groups of at most 4. 64-bit difference hashes within 2 bits chain a quarter of the
# catalog into one group instead, since products on white share their silhouettes.
MAX_RMS = 2.0
THUMBNAIL_PX = 8
THUMBNAIL_BYTES = THUMBNAIL_PX**2 * 3
_BLOCK = 1024


def thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    """What near-identical pictures have in common: 8 x 8 mean colours, flat."""
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX)).reshape(-1)


def group_products(
    products: Sequence[Product], thumbnails: NDArray[np.uint8], told: Sequence[str | None]
) -> list[str]:
    """For each product the name of its group: the least id among those that belong together.

    Products belong together when they share the catalog's variant group, their title up to case
    and spaces, the group that a splits file names, or their picture; and through one another.

    Args:
        products: The products.
        thumbnails: Of their pictures, `(N, THUMBNAIL_BYTES)`.
        told: The group that a splits file names, if any.
    """
    together = Together(len(products))
    shared: tuple[Sequence[Hashable], ...] = (
        [product.group for product in products],
        [plain(product.title) for product in products],
        told,
        [pixels.tobytes() for pixels in thumbnails],  # a shop's "no picture yet" may come often
    )
    for names in shared:
        first: dict[Hashable, int] = {}
        for n, name in enumerate(names):
            if name:
                together.join(n, first.setdefault(name, n))
    distinct, numbers = np.unique(thumbnails, axis=0, return_index=True)
    for one, other in near_identical(distinct):
        together.join(int(numbers[one]), int(numbers[other]))
    least: dict[int, str] = {}
    for n, product in enumerate(products):
        root = together.root(n)
        least[root] = min(least.get(root, product.id), product.id)
    return [least[together.root(n)] for n in range(len(products))]


def near_identical(thumbnails: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    """Every pair of pictures that differ by less than `MAX_RMS`.

    Two such pictures differ by no more in mean brightness: sorted by it, each is compared with a
    short stretch of the others (6 % of a fashion catalog).
    """
    order = np.argsort(thumbnails.mean(axis=1), kind="stable")
    pixels = thumbnails[order].astype(np.float32) - 128  # centred: float32 then keeps the squares
    brightness = pixels.mean(axis=1)
    squares = (pixels**2).sum(axis=1)
    limit = MAX_RMS**2 * pixels.shape[1]
    for start in range(0, len(pixels), _BLOCK):
        rows = slice(start, start + _BLOCK)
        end = int(np.searchsorted(brightness, brightness[rows][-1] + MAX_RMS, side="right"))
        columns = slice(start, end)
        distance = squares[rows, None] + squares[columns] - 2 * pixels[rows] @ pixels[columns].T
        for row, column in zip(*np.nonzero(distance < limit), strict=True):
            if row < column:
                yield int(order[start + row]), int(order[start + column])


class Together:
    """Disjoint sets of numbers that grow together (union-find with path halving)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, n: int) -> int:
        """The number that stands for all that belong together with this one."""
        parent = self._parent
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    def join(self, one: int, other: int) -> None:
        """From now on these two belong together."""
        self._parent[self.root(one)] = self.root(other)
