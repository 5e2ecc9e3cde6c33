"""Files in object stores and on the Hugging Face hub, through fsspec.

Each store needs a package of its own, which also finds the credentials: in AWS_* or GOOGLE_*
variables, in its configuration files, or in the machine's role.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec

from goods.errors import PictureError, PictureFault

_PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "hf": "huggingface_hub",
    "memory": "fsspec",  # of this process alone, for trials
}
"""What reads each protocol. No others: a catalog may be written by strangers, and fsspec also knows
protocols that ask any host, or run what an address says."""

KNOWN = ", ".join(f"{scheme}://" for scheme in ("https", "s3", "gs", "az", "hf"))

_WRITTEN = ("LastModified", "last_modified", "updated", "mtime", "created")
_FOREIGN_ERRORS = {
    "aiohttp": "ClientError",
    "botocore.exceptions": "BotoCoreError",
    "gcsfs.retry": "HttpError",
    "google.auth.exceptions": "GoogleAuthError",
    "azure.core.exceptions": "AzureError",
    "httpx": "HTTPError",
}
"""The roots of what these packages raise beside OSError."""


class MissingPackageError(OSError):
    """What reads a store is not installed."""


def is_bucket(location: str) -> bool:
    """Whether a location is in a store that this module reads."""
    scheme, mark, _ = location.partition("://")
    return bool(mark) and scheme in _PACKAGES


def open_file(location: str) -> io.RawIOBase:
    """A file, unbuffered: what is read is one request.

    Raises:
        OSError: It is not there, or cannot be read; likewise while it is read.
    """
    with _as_os_error():
        store, path = _store(location)
        return _Opened(store.open(path, "rb", cache_type="none"))


def find(pattern: str) -> list[str]:
    """The locations that match a pattern with `*`, sorted.

    Raises:
        OSError: The store cannot be read.
    """
    with _as_os_error():
        store, path = _store(pattern)
        return sorted(store.unstrip_protocol(found) for found in store.glob(path))


def read(location: str, max_bytes: int) -> bytes:
    """A picture's bytes; one more than `max_bytes` at the most.

    Raises:
        PictureError: GONE, REFUSED or BUSY.
    """
    with _as_picture_error():
        store, path = _store(location)
        data: bytes = store.cat_file(path, start=0, end=max_bytes + 1)
        return data


def validator(location: str) -> str | None:
    """What changes with the file and costs one request without its bytes; None if unknown.

    Raises:
        PictureError: GONE, REFUSED or BUSY.
    """
    with _as_picture_error():
        store, path = _store(location)
        known: dict[str, Any] = store.info(path)
    tag = known.get("ETag") or known.get("etag") or known.get("md5Hash") or known.get("blob_id")
    if tag:
        return f"etag {tag}"
    written = next((known[key] for key in _WRITTEN if known.get(key)), None)
    return f"file {written} {known.get('size')}" if written else None


class _Opened(io.RawIOBase):
    """A file of fsspec whose foreign errors are OSErrors."""

    def __init__(self, file: Any) -> None:  # fsspec has no types
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """How many bytes are before the next one."""
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere; no request is made for that."""
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # any buffer
        """Fill the buffer, as far as there are bytes left."""
        with _as_os_error():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _store(location: str) -> tuple[Any, str]:
    """The store of a location, and the path in it."""
    scheme = location.partition("://")[0]
    try:
        return fsspec.core.url_to_fs(location)  # type: ignore[no-any-return]  # fsspec has no types
    except ImportError as error:
        raise MissingPackageError(
            f"{scheme}:// needs a package that is not installed: pip install {_PACKAGES[scheme]}"
        ) from error


def _foreign_errors() -> tuple[type[Exception], ...]:
    """What the packages that are in use raise beside OSError."""
    modules = ((sys.modules.get(module), name) for module, name in _FOREIGN_ERRORS.items())
    return tuple(getattr(module, name) for module, name in modules if module)


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except _foreign_errors() as error:
        raise OSError(str(error) or type(error).__name__) from error


@contextmanager
def _as_picture_error() -> Iterator[None]:
    try:
        with _as_os_error():
            yield
    except (FileNotFoundError, IsADirectoryError) as error:
        raise PictureError(PictureFault.GONE, "there is no such file") from error
    except (MissingPackageError, PermissionError) as error:
        raise PictureError(PictureFault.REFUSED, f"it may not be read: {error}") from error
    except OSError as error:
        raise PictureError(PictureFault.BUSY, f"its store does not answer: {error}") from error
