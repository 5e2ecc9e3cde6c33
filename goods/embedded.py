"""Pictures that are embedded in a Parquet file, loaded by their location.

It is `<absolute path or URL>.parquet#row=<n>`, n from 0, with `&column=<name>` unless the picture
is in the first column that holds some.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from threading import Lock
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import parquet

from goods.buckets import MissingPackageError
from goods.errors import PictureError, PictureFault
from goods.parquet import embedded_columns, encoded
from goods.source import source_at

_KEPT_GROUPS = 2  # a run goes through a file in order; its threads are at most one group apart
_LOCATION = re.compile(r"(?s)(.*\.parquet(?:\?[^#]*)?)#row=(\d+)(?:&column=(.+))?")


class EmbeddedPictures:
    """Loads embedded pictures by their location; safe to use from several threads.

    Memory: the picture column of the two row groups that were read last.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._layout = lru_cache(_KEPT_GROUPS)(_read_layout)
        self._group = lru_cache(_KEPT_GROUPS)(_read_group)

    def read(self, location: str) -> bytes:
        """The encoded picture at a location.

        Raises:
            PictureError: The file or the row is gone, or the file is damaged.
        """
        place = _LOCATION.fullmatch(location)
        if place is None:
            raise PictureError(PictureFault.GONE, "it leads to no row of a Parquet file")
        if location.startswith(("http://", "https://")):  # whose address nobody has checked
            raise PictureError(
                PictureFault.REFUSED,
                "pictures in a Parquet file on a web server come with its rows alone; "
                "keep the file on disk or in a bucket to see them later",
            )
        try:
            with self._lock:  # or two threads would read the same group
                data = self._data(place[1], int(place[2]), unquote(place[3] or ""))
        except FileNotFoundError as error:
            raise PictureError(PictureFault.GONE, "there is no such file") from error
        except (MissingPackageError, PermissionError) as error:
            raise PictureError(PictureFault.REFUSED, f"it may not be read: {error}") from error
        except (OSError, pa.ArrowException) as error:
            raise PictureError(PictureFault.BROKEN, f"the file is damaged ({error})") from error
        if data is None:
            raise PictureError(
                PictureFault.GONE, "this row holds no picture (any more); read the catalog again"
            )
        return data

    def _data(self, file: str, row: int, column: str) -> bytes | None:
        layout = self._layout(file)
        group = bisect_right(layout.first_rows, row) - 1
        column = column or next(iter(layout.embedded), "")
        if column not in layout.embedded or group >= len(layout.first_rows) - 1:
            return None
        pictures = self._group(file, group, column)
        found = pictures.slice(row - layout.first_rows[group], 1).to_pylist()
        data, _ = next(encoded(found))
        return data


def is_embedded(location: str) -> bool:
    """Whether a picture's location leads into a Parquet file."""
    return _LOCATION.fullmatch(location) is not None


def embedding_file(location: str) -> str:
    """The path or URL of the Parquet file that holds an embedded picture."""
    return location.rpartition("#row=")[0]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the rows of a file are: the first row of every group, and one past the last."""

    first_rows: tuple[int, ...]
    embedded: tuple[str, ...]


def _read_layout(location: str) -> _Layout:
    with source_at(location).open() as stream, parquet.ParquetFile(stream) as file:
        sizes = (file.metadata.row_group(n).num_rows for n in range(file.num_row_groups))
        return _Layout(tuple(accumulate(sizes, initial=0)), embedded_columns(file.schema_arrow))


def _read_group(location: str, group: int, column: str) -> "pa.ChunkedArray[Any]":
    with source_at(location).open() as stream, parquet.ParquetFile(stream) as file:
        return file.read_row_group(group, columns=[column]).column(column)
