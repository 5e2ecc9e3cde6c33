"""What searches find: products of an index, and texts that are asked of it, to judge a backend by.

Legend: M products, D the dimension of a vector.
"""

import hashlib
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from goods.index import VectorIndex
from goods.index.contract import product_of
from model.captions import said_of

PRODUCTS = 2_000
"""Whose vectors texts are to find. Ids are hashes, so the first in order are a fair sample."""

TEXTS = 128
"""Texts that are embedded by both: some 3 s in the shape of ViT-B/32, and 1,280 pictures found."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A sample of an index.

    Attributes:
        texts: Titles of products and what their fields say, each once.
        pictures_MD: The vectors of its products.
    """

    texts: tuple[str, ...]
    pictures_MD: NDArray[np.float32]

    @property
    def digest(self) -> str:
        """Equal for the same sample."""
        digest = hashlib.sha256("\0".join(self.texts).encode("utf-8", "surrogatepass"))
        digest.update(np.ascontiguousarray(self.pictures_MD).data)
        return digest.hexdigest()


def searched_in(index: VectorIndex) -> Searched:
    """Up to `PRODUCTS` vectors of an index, and up to `TEXTS` texts about its products."""
    contract = index.contract
    records = list(islice(index.scan(PRODUCTS, with_vectors=True), PRODUCTS))
    vectors = [record.vector for record in records if record.vector is not None]
    products = (product_of(record.payload, contract.schema) for record in records)
    said = (text for product in products for text in said_of(product, contract.schema))
    texts = tuple(islice(dict.fromkeys(said), TEXTS))
    return Searched(texts, np.array(vectors, np.float32).reshape(-1, contract.dimension))
