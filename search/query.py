"""What to look for: texts, pictures and products, and others to move away from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from PIL import Image

from goods.errors import QueryError

Example = str | Path | bytes | Image.Image
"""A picture: a path or URL, its bytes, or the decoded image."""

TEXT_WEIGHT = 1.0
"""What a text counts beside a picture or product."""

MINUS_WEIGHT = 0.5
"""What is moved away from: at 1, "shoe, minus red" leaves the shoes together with the red."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a search is about; a part may be a single text, picture or id, or several.

    Its vector is the sum of the unit vectors of all parts, a text times `text_weight`, less
    `minus_weight` times the sum of those of the minus parts, made a unit vector again. With minus
    parts alone those products come first that are least like them.

    Attributes:
        texts: What it says.
        images: What it looks like.
        products: Ids of products of the catalog that it is like; they are not found themselves.
        minus_texts: What it shall not say.
        minus_images: What it shall not look like.
        minus_products: Ids of products that it shall not be like.
        text_weight: What a text counts beside a picture or product.
        minus_weight: What is moved away from counts.

    Raises:
        QueryError: A text is empty, or a weight is below 0.
    """

    texts: Sequence[str] = ()
    images: Sequence[Example] = ()
    products: Sequence[str] = ()
    minus_texts: Sequence[str] = ()
    minus_images: Sequence[Example] = ()
    minus_products: Sequence[str] = ()
    text_weight: float = TEXT_WEIGHT
    minus_weight: float = MINUS_WEIGHT

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            if not isinstance(value, float | int):
                one = isinstance(value, str | Path | bytes | Image.Image)
                object.__setattr__(self, part.name, (value,) if one else tuple(value))
        if not all(text.strip() for text in (*self.texts, *self.minus_texts)):
            raise QueryError("the text is empty; say what to look for")
        if not (self.text_weight >= 0 and self.minus_weight >= 0):
            raise QueryError("the weights of a query are 0 or more")

    @property
    def is_empty(self) -> bool:
        """Whether it has no part at all: all products are as good."""
        return not (self.is_aimed or self.has_minus)

    @property
    def is_aimed(self) -> bool:
        """Whether something is looked for."""
        return bool(self.texts or self.images or self.products)

    @property
    def has_minus(self) -> bool:
        """Whether there is something to move away from."""
        return bool(self.minus_texts or self.minus_images or self.minus_products)

    @property
    def words(self) -> str:
        """What it says, in one text."""
        return " ".join(self.texts)

    @property
    def text_share(self) -> float:
        """How much of what is looked for is said in words, 0 to 1."""
        said = self.text_weight * len(self.texts)
        return said / ((said + len(self.images) + len(self.products)) or 1.0)

    def digest(self) -> bytes:
        """Equal for equal queries: what a page's cursor is good for."""
        seen = hashlib.blake2b(digest_size=16)
        for part in fields(self):
            value = getattr(self, part.name)
            for item in value if isinstance(value, tuple) else (value,):
                seen.update(hashlib.blake2b(_bytes(item), digest_size=16).digest())
            seen.update(part.name.encode())
        return seen.digest()


def _bytes(item: Example | float) -> bytes:
    if isinstance(item, bytes):
        return item
    if isinstance(item, Image.Image):
        return item.mode.encode() + str(item.size).encode() + item.tobytes()
    return str(item).encode("utf-8", "surrogatepass")
