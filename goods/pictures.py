"""From a product's picture, wherever it is, to an image.

A picture that cannot be used costs one product and one line: every failure here is a
`PictureError` that says which picture, what is wrong with it and under which fault it counts.
"""

import stat
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

from PIL import Image

from goods import buckets
from goods.answers import Fetched
from goods.download import Downloader
from goods.embedded import EmbeddedPictures, embedding_file, is_embedded
from goods.errors import PictureError, PictureFault, blamed_on
from goods.images import open_image, refuse_blank, to_rgb
from goods.limits import DEFAULT_LIMITS, PictureLimits
from goods.product import Picture
from goods.urls import is_url

__all__ = ["DEFAULT_LIMITS", "Fetched", "PictureLimits", "PictureLoader", "decode"]

_KEPT_STATES = 16  # Parquet files whose state is remembered, each for a second


class PictureLoader:
    """Loads pictures; owns the connections and open files that it needs for that.

    Safe to use from several threads.
    """

    def __init__(self, limits: PictureLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._embedded = EmbeddedPictures()
        self._state = lru_cache(_KEPT_STATES)(lambda file, _second: _state_of_file(file))
        self._downloader: Downloader | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._downloader is not None:
            self._downloader.close()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

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
        return self.fetch(picture).data or b""  # never None: nothing is known that it could equal

    def fetch(self, picture: Picture, known: str | None = None) -> Fetched:
        """The encoded picture, unless it is still the one that is known.

        Args:
            picture: Where it is.
            known: The validator that came with it the last time.

        Raises:
            PictureError: It is gone, too large, or its host is busy.
        """
        if _is_on_web(picture):
            return self._connected().get(picture.location, known)
        with blamed_on(picture.location):
            # Before the bytes: of a file that changes meanwhile, the next run sees that it did.
            if _is_in_bucket(picture):
                validator = buckets.validator(picture.location)
            else:
                validator = self.validator(picture)
            if known is not None and known == validator:
                return Fetched(None, validator)
            data = self._read(picture)
            _check_size(len(data), self.limits.max_bytes)
            return Fetched(data, validator)

    def start(self, picture: Picture, known: str | None = None) -> Future[Fetched]:
        """What `fetch` gives, as a future: hundreds may be on their way without a thread each.

        What is no download is read at once, in the thread that asks.
        """
        if _is_in_bucket(picture):
            return self._threads().submit(self.fetch, picture, known)
        if _is_on_web(picture):
            return self._connected().submit(picture.location, known)
        future: Future[Fetched] = Future()
        try:
            future.set_result(self.fetch(picture, known))
        except PictureError as error:
            future.set_exception(error)
        return future

    def validator(self, picture: Picture) -> str | None:
        """What changes with the picture's bytes and costs no more than a look at its file.

        None for what is downloaded, missing, or bytes that are in no file: it has to be fetched.
        """
        location = picture.location
        if picture.is_remote:
            return None
        if is_embedded(location):
            return self._state(embedding_file(location), int(time.monotonic()))
        return None if picture.data is not None else _state_of(_path(location))

    def _read(self, picture: Picture) -> bytes:
        location = picture.location
        if picture.data is not None:
            return picture.data
        if is_embedded(location):
            return self._embedded.read(location)
        if buckets.is_bucket(location):
            return buckets.read(location, self.limits.max_bytes)
        path = _path(location)
        if path is None:
            raise PictureError(
                PictureFault.REFUSED, f"only paths, file:// and {buckets.KNOWN} can be read"
            )
        return _read_file(path, self.limits.max_bytes)

    def _connected(self) -> Downloader:
        with self._lock:
            self._downloader = self._downloader or Downloader(self.limits)
            return self._downloader

    def _threads(self) -> ThreadPoolExecutor:
        """Threads that wait for buckets, whose packages have no common loop."""
        with self._lock:
            self._pool = self._pool or ThreadPoolExecutor(self.limits.per_host, "bucket")
            return self._pool


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
        PictureError: It is too large or too small, broken, blank, or no picture.
    """
    with blamed_on(name):
        _check_size(len(data), limits.max_bytes)
        image = to_rgb(open_image(data, limits.max_pixels, limits.min_side), at_least)
        refuse_blank(image, limits.min_contrast)
        return image


def _is_on_web(picture: Picture) -> bool:
    return picture.is_remote and is_url(picture.location)


def _is_in_bucket(picture: Picture) -> bool:
    return picture.is_remote and buckets.is_bucket(picture.location)


def _path(location: str) -> Path | None:
    """Where a file is; None for other protocols."""
    if location.startswith("file://"):
        return Path(url2pathname(urlsplit(location).path))
    return None if "://" in location else Path(location)


def _state_of_file(location: str) -> str | None:
    """What changes with a Parquet file, wherever it is."""
    try:
        if buckets.is_bucket(location):
            return buckets.validator(location)
    except PictureError:  # reading it says why
        return None
    return _state_of(_path(location))


def _state_of(path: Path | None) -> str | None:
    """When a file was written, and its size; None if it cannot be seen."""
    try:
        status = path.stat() if path else None
    except (OSError, ValueError):  # reading it says why
        return None
    return f"file {status.st_mtime_ns} {status.st_size}" if status else None


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
