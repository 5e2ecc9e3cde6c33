"""Products' pictures in the sizes that pages show, kept in memory while there is room."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from goods.pictures import PictureLimits, PictureLoader
from goods.product import Picture
from search.api.counters import Counters

QUALITY = 85


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG, and the tag that tells it from others."""

    jpeg: bytes
    etag: str


def _as_it_is(image: Image.Image) -> Image.Image:
    return image


class Thumbnails:
    """Makes thumbnails, and remembers those that were asked for last.

    Args:
        limits: What a picture may cost.
        room_bytes: Memory for the JPEGs.
        counters: Told of what was remembered.
    """

    def __init__(self, limits: PictureLimits, room_bytes: int, counters: Counters) -> None:
        self._loader = PictureLoader(limits)
        self._room_bytes = room_bytes
        self._counters = counters
        self._kept: OrderedDict[tuple[str, int, str], Thumbnail] = OrderedDict()
        self._size_bytes = 0
        self._lock = threading.Lock()

    def get(
        self,
        picture: Picture,
        size: int,
        paint: Callable[[Image.Image], Image.Image] = _as_it_is,
        painted: str = "",
    ) -> Thumbnail:
        """The picture with `size` pixels along its longest side, or fewer if it has fewer.

        Args:
            picture: Where it is.
            size: Pixels.
            paint: What is done to the small picture.
            painted: Tells what was done from all else.

        Raises:
            PictureError: It cannot be read or decoded.
        """
        key = picture.location, size, painted
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
        self._counters.thumbnails.labels("miss" if known is None else "hit").inc()
        if known is not None:
            return known
        image = self._loader.load(picture, at_least=size)
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        made = _encoded(paint(image))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._size_bytes += len(made.jpeg)
            while self._size_bytes > self._room_bytes:
                _, gone = self._kept.popitem(last=False)
                self._size_bytes -= len(gone.jpeg)
        return made

    def clear(self) -> None:
        """Forget all: pictures may have changed with the index."""
        with self._lock:
            self._kept.clear()
            self._size_bytes = 0

    def close(self) -> None:
        """Close the connections."""
        self._loader.close()


def _encoded(image: Image.Image) -> Thumbnail:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    jpeg = buffer.getvalue()
    return Thumbnail(jpeg, f'"{hashlib.blake2b(jpeg, digest_size=12).hexdigest()}"')
