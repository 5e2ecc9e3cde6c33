"""A file of a catalog, wherever it is: on disk, on a web server, or in a bucket.

It is opened as often as wanted, and read in pieces: nothing is downloaded whole.
"""

import io
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from goods import buckets
from goods.errors import CatalogError
from goods.product import absolute_location
from goods.ranges import RangedFile
from goods.urls import is_url


class Source(Protocol):
    """A file that can be read any number of times."""

    @property
    def location(self) -> str:
        """Its absolute path or its URL; what errors call it."""

    @property
    def name(self) -> str:
        """The last part of its location."""

    def open(self) -> io.RawIOBase:
        """Its bytes, unbuffered, from the start.

        Raises:
            OSError: It is not there, or cannot be read; likewise while it is read.
        """

    def locate(self, reference: str) -> str:
        """Where a picture is that this file refers to."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on disk; pictures are relative to its folder."""

    path: Path

    @property
    def location(self) -> str:
        """See `Source`."""
        return str(self.path)

    @property
    def name(self) -> str:
        """See `Source`."""
        return self.path.name

    def open(self) -> io.RawIOBase:
        """See `Source`."""
        return io.FileIO(self.path)

    def locate(self, reference: str) -> str:
        """See `Source`."""
        return absolute_location(reference, self.path.parent)


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file at an `http(s)://` URL; pictures are relative to it as links of a page are."""

    location: str

    @property
    def name(self) -> str:
        """See `Source`."""
        return posixpath.basename(urlsplit(self.location).path)

    def open(self) -> io.RawIOBase:
        """See `Source`."""
        return RangedFile(self.location)

    def locate(self, reference: str) -> str:
        """See `Source`."""
        return urljoin(self.location, reference)


@dataclass(frozen=True, slots=True)
class BucketFile:
    """A file at `s3://`, `gs://` and the like; pictures are relative to its folder."""

    location: str

    @property
    def name(self) -> str:
        """See `Source`."""
        return posixpath.basename(self.location)

    def open(self) -> io.RawIOBase:
        """See `Source`."""
        return buckets.open_file(self.location)

    def locate(self, reference: str) -> str:
        """See `Source`."""
        if "://" in reference:
            return reference
        scheme, _, path = self.location.partition("://")
        folder = posixpath.dirname(path)
        return f"{scheme}://{posixpath.normpath(posixpath.join(folder, reference.lstrip('/')))}"


def source_at(location: str) -> Source:
    """The file at a path or URL.

    Raises:
        CatalogError: Nothing here reads this protocol.
    """
    if is_url(location):
        return WebFile(location)
    if buckets.is_bucket(location):
        return BucketFile(location)
    if "://" in location:
        scheme = location.partition("://")[0]
        raise CatalogError(f"{location}: {scheme}:// cannot be read; {buckets.KNOWN} can")
    return LocalFile(Path(location).expanduser().absolute())
