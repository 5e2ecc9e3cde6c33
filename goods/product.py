"""A product: one row of a shop's catalog, and the picture that it points to."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha1
from os.path import expanduser
from pathlib import Path
from urllib.parse import quote

Value = str | float | bool | tuple[str, ...]
"""One attribute: a keyword, a number, a boolean, or several keywords."""

_PLAIN_PATH = re.compile(r"[^/\\.~:][^/\\]*(?:/[^/\\.][^/\\]*)*")
"""Of a relative path: nothing to tidy up, on any system."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/clip-for-goods/product")
_NAMED = sha1(_NAMESPACE.bytes, usedforsecurity=False)
_VERSION_BITS = 0x5000_8000_0000_0000_0000  # of a UUID of version 5 (RFC 9562)
_DIGEST_BITS = ~0xF000_C000_0000_0000_0000


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a product's picture is: a path, a URL, or bytes already at hand.

    Attributes:
        location: An absolute path, a `file://`, `http(s)://` or bucket URL, or for a picture
            embedded in a Parquet file `<path or URL of the file>#row=<n>`; always enough to load
            it again.
        data: The encoded bytes, when the catalog itself carried them.
    """

    location: str
    data: bytes | None = field(default=None, repr=False)

    @property
    def is_remote(self) -> bool:
        """Whether loading it is a download, which one does not wait for alone."""
        return self.data is None and is_remote(self.location)


@dataclass(frozen=True, slots=True)
class Product:
    """One product as every stage sees it.

    Attributes:
        id: The shop's own id, as text.
        picture: Its picture.
        title: Its name; empty when the catalog has none.
        attributes: Filterable values by field name; a missing value is absent, never empty.
        texts: Free texts by column name (description, materials ...), for captions only.
        group: What the variants of one design share, when the catalog says so.
        split: "train", "val" or "test", when the catalog assigns products to splits.
        thumbnail: URL at which browsers see its picture, where that is another one than its own.
        row: The 1-based data row of the catalog that it came from.
    """

    id: str
    picture: Picture
    title: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    split: str | None = None
    thumbnail: str = ""
    row: int = 0

    @property
    def point_id(self) -> uuid.UUID:
        """The id of its point in every index: a pure function of the shop's id."""
        return point_id(self.id)

    def with_picture(self, picture: Picture) -> "Product":
        """The same product with its picture at hand, or elsewhere."""
        return replace(self, picture=picture)


def is_remote(location: str) -> bool:
    """Whether a picture that is at this location has to be downloaded."""
    if "://" not in location:
        return False
    return not location.startswith("file://") and "#row=" not in location


def point_id(product_id: str) -> uuid.UUID:
    """The id under which an index keeps the product with this shop id (UUID version 5)."""
    hasher = _NAMED.copy()  # `uuid.uuid5` takes twice as long, and every row of a plan asks
    hasher.update(product_id.encode())
    return uuid.UUID(int=int.from_bytes(hasher.digest()[:16]) & _DIGEST_BITS | _VERSION_BITS)


def picture_path(product_id: str) -> str:
    """The path of a product's picture below the URL of `goods serve`."""
    return f"/pictures/{quote(product_id, safe='')}.jpg"


def absolute_location(reference: str, folder: Path) -> str:
    """A picture reference of a catalog in `folder`, made independent of where it is read from."""
    if "://" in reference:
        return reference
    if _PLAIN_PATH.fullmatch(reference):  # as most are; pathlib takes 9 times as long
        return f"{str(folder).rstrip('/')}/{reference}"
    path = expanduser(reference)  # noqa: PTH111 - pathlib's takes "./~" for "~"
    return str((folder / path).absolute())
