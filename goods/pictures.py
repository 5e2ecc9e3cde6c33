"""From a product's picture, wherever it is, to an image.

A picture that cannot be used costs one product and one line: every failure here is a
`PictureError` that says which picture, what is wrong with it and under which fault it counts.
"""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from PIL import Image

from goods.download import Downloader
from goods.errors import GoodsError, PictureError, PictureFault
from goods.images import open_image, to_rgb
from goods.parquet import EmbeddedPictures, is_embedded
from goods.product import Picture

_MAX_SHOWN = 120  # characters of a location in an error sentence


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What one picture may cost.

    Attributes:
        max_bytes: Of the encoded picture.
        max_pixels: Of the decoded one; a thread holds 3 to 8 bytes for each.
        timeout_s: Seconds without an answer, and for a download as a whole.
        attempts: How often a host is asked that is busy or fails.
        max_wait_s: Seconds between two attempts, also when the host asks for more.
    """

    max_bytes: int = 32 << 20
    max_pixels: int = 64_000_000
    timeout_s: float = 20.0
    attempts: int = 4
    max_wait_s: float = 30.0

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "timeout_s", "attempts"):
            if getattr(self, name) <= 0:
                raise GoodsError(f"{name} is {getattr(self, name)}; it has to be more than 0")
        if self.max_wait_s < 0:
            raise GoodsError(f"max_wait_s is {self.max_wait_s}; it cannot be negative")


DEFAULT_LIMITS = PictureLimits()


class PictureLoader:
    """Loads pictures; owns the connections and open files that it needs for that.

    Safe to use from several threads.
    """

    def __init__(self, limits: PictureLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._embedded = EmbeddedPictures()
        self._downloader: Downloader | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._downloader is not None:
            self._downloader.close()

    def load(self, picture: Picture, at_least: int | None = None) -> Image.Image:
        """The picture as an upright RGB image; see `decode`.

        Raises:
            PictureError: It cannot be read or decoded.
        """
        return decode(self.read(picture), picture.location, self.limits, at_least)

    def read(self, picture: Picture) -> bytes:
        """The encoded picture.

        Raises:
            PictureError: It is gone, too large, or its host is busy.
        """
        with _named(picture.location):
            data = self._read(picture)
            _check_size(len(data), self.limits.max_bytes)
            return data

    def _read(self, picture: Picture) -> bytes:
        location = picture.location
        if picture.data is not None:
            return picture.data
        if picture.is_remote:
            return self._connected().get(location)
        if is_embedded(location):
            return self._embedded.read(location)
        if location.startswith("file://"):
            location = url2pathname(urlsplit(location).path)
        elif "://" in location:
            raise PictureError(
                PictureFault.REFUSED, "only paths, file:// and http(s):// URLs can be read"
            )
        return _read_file(Path(location), self.limits.max_bytes)

    def _connected(self) -> Downloader:
        limits = self.limits
        with self._lock:
            self._downloader = self._downloader or Downloader(
                max_bytes=limits.max_bytes,
                timeout_s=limits.timeout_s,
                attempts=limits.attempts,
                max_wait_s=limits.max_wait_s,
            )
            return self._downloader


def decode(
    data: bytes, name: str, limits: PictureLimits = DEFAULT_LIMITS, at_least: int | None = None
) -> Image.Image:
    """An encoded picture as an upright RGB image; of an animation, the first frame.

    Args:
        data: A JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file.
        name: What errors call it.
        limits: What it may cost.
        at_least: Pixels that the shorter side needs. A much larger JPEG is then decoded at a
            fraction of its size, which is several times faster and looks the same after resizing.

    Raises:
        PictureError: It is too large, broken, or no picture.
    """
    with _named(name):
        _check_size(len(data), limits.max_bytes)
        return to_rgb(open_image(data, limits.max_pixels), at_least)


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(PictureFault.NOT_A_PICTURE, "it is a folder or a device, not a file")
        _check_size(status.st_size, max_bytes)
        return path.read_bytes()
    except PermissionError as error:
        raise PictureError(PictureFault.REFUSED, "it may not be read; see its rights") from error
    except (OSError, ValueError) as error:  # ValueError: the path has a NUL byte
        reason = error.strerror if isinstance(error, OSError) else error
        raise PictureError(
            PictureFault.GONE, f"it cannot be read ({reason}); paths start at the catalog's folder"
        ) from error


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise PictureError(
            PictureFault.REFUSED, f"it has {size:,} bytes, more than {max_bytes:,}; compress it"
        )


@contextmanager
def _named(location: str) -> Iterator[None]:
    """Lets every PictureError begin with the picture that it is about."""
    try:
        yield
    except PictureError as error:
        half = _MAX_SHOWN // 2
        is_long = len(location) > _MAX_SHOWN
        shown = f"{location[:half]}…{location[-half:]}" if is_long else location
        raise PictureError(error.fault, f"{shown}: {error}") from error
