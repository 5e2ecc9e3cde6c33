"""Parquet files: their rows, and the pictures that are embedded in them.

An embedded picture is a `binary` column or, as data sets on a hub have it, a `struct<bytes, path>`.
Its location is `<absolute path>.parquet#row=<n>`, n from 0, with `&column=<name>` unless it is in
the first such column.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, Self
from urllib.parse import quote, unquote

import pyarrow as pa
from pyarrow import parquet, types

from goods.errors import CatalogError, PictureError, PictureFault
from goods.product import Picture
from goods.tables import Row, check_columns
from goods.values import Cell, keywords, text

_BATCH_BYTES = 16 << 20  # of rows decoded at a time, as far as the row groups tell their size
_MAX_BATCH_ROWS = 4096
_READ_BYTES = 1 << 20  # at a time; pyarrow's own read-ahead keeps every row group it has read
_KEPT_GROUPS = 2  # a run goes through a file in order; its threads are at most one group apart
_PICTURE_NAME = re.compile(r"(?i)image|img|picture|photo")  # other bytes may be hashes
_LOCATION = re.compile(r"(?s)(.*\.parquet)#row=(\d+)(?:&column=(.+))?")


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A Parquet file.

    Attributes:
        path: Its file.
        columns: Its top-level columns.
        embedded: Those that hold encoded pictures.
    """

    path: Path
    columns: tuple[str, ...]
    embedded: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> Self:
        """The file, with its footer read.

        Raises:
            CatalogError: It is damaged, or a name stands for two columns.
        """
        with _opened(path) as file:
            schema = file.schema_arrow
            return cls(path, check_columns(path, schema.names), _embedded(schema))

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """See `goods.tables.Table`.

        Memory: about twice the largest row group of these columns (pyarrow 26).
        """
        with _opened(self.path) as file:
            metadata = file.metadata
            size = sum(metadata.row_group(n).total_byte_size for n in range(file.num_row_groups))
            fitting = _BATCH_BYTES * max(1, metadata.num_rows) // max(1, size)
            at_once = min(max(1, fitting), _MAX_BATCH_ROWS)
            rows_before = 0
            for batch in file.iter_batches(at_once, columns=columns, use_threads=False):
                cells = (self._cells(batch, column, rows_before) for column in columns)
                for number, picked in enumerate(zip(*cells, strict=True), rows_before + 1):
                    yield Row(number, picked)
                rows_before += batch.num_rows

    def count(self) -> int | None:
        """See `goods.tables.Table`; exact."""
        with _opened(self.path) as file:
            return int(file.metadata.num_rows)

    def _cells(self, batch: pa.RecordBatch, column: str, rows_before: int) -> list[Cell]:
        array = batch.column(batch.schema.get_field_index(column))
        if column not in self.embedded:
            return _plain_cells(array)
        suffix = "" if column == self.embedded[0] else f"&column={quote(column)}"
        return [
            Picture(f"{self.path}#row={row}{suffix}", data) if data is not None else reference
            for row, (data, reference) in enumerate(_encoded(array.to_pylist()), rows_before)
        ]


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
        try:
            with self._lock:  # or two threads would read the same group
                data = self._data(place[1], int(place[2]), unquote(place[3] or ""))
        except FileNotFoundError as error:
            raise PictureError(PictureFault.GONE, "there is no such file") from error
        except (OSError, pa.ArrowException) as error:
            raise PictureError(PictureFault.BROKEN, f"the file is damaged ({error})") from error
        if data is None:
            raise PictureError(
                PictureFault.GONE, "this row holds no picture (any more); read the catalog again"
            )
        return data

    def _data(self, path: str, row: int, column: str) -> bytes | None:
        layout = self._layout(path)
        group = bisect_right(layout.first_rows, row) - 1
        column = column or next(iter(layout.embedded), "")
        if column not in layout.embedded or group >= len(layout.first_rows) - 1:
            return None
        pictures = self._group(path, group, column)
        found = pictures.slice(row - layout.first_rows[group], 1).to_pylist()
        data, _ = next(_encoded(found))
        return data


def is_embedded(location: str) -> bool:
    """Whether a picture's location leads into a Parquet file."""
    return _LOCATION.fullmatch(location) is not None


def embedding_file(location: str) -> Path:
    """The Parquet file that holds an embedded picture."""
    return Path(location.rpartition("#row=")[0])


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the rows of a file are: the first row of every group, and one past the last."""

    first_rows: tuple[int, ...]
    embedded: tuple[str, ...]


def _read_layout(path: str) -> _Layout:
    with parquet.ParquetFile(path) as file:
        sizes = (file.metadata.row_group(n).num_rows for n in range(file.num_row_groups))
        return _Layout(tuple(accumulate(sizes, initial=0)), _embedded(file.schema_arrow))


def _read_group(path: str, group: int, column: str) -> "pa.ChunkedArray[Any]":
    with parquet.ParquetFile(path) as file:
        return file.read_row_group(group, columns=[column]).column(column)


def _embedded(schema: pa.Schema) -> tuple[str, ...]:
    """The columns that hold encoded pictures."""
    return tuple(
        field.name
        for field in schema
        if _is_picture(field.type) or (_is_bytes(field.type) and _PICTURE_NAME.search(field.name))
    )


def _is_picture(kind: pa.DataType) -> bool:
    index = kind.get_field_index("bytes") if types.is_struct(kind) else -1
    return index >= 0 and _is_bytes(kind.field(index).type)


def _is_bytes(kind: pa.DataType) -> bool:
    return kind in (pa.binary(), pa.large_binary())


def _encoded(cells: Iterable[Any]) -> Iterator[tuple[bytes | None, str | None]]:
    """The bytes, or else the path or URL, of every picture of an embedded column."""
    for cell in cells:
        yield (cell["bytes"], cell.get("path")) if isinstance(cell, dict) else (cell, None)


def _plain_cells(array: "pa.Array[Any]") -> list[Cell]:
    """Numbers, booleans and lists as they are, nested records as nothing, the rest as text."""
    kind = array.type
    if types.is_list(kind) or types.is_large_list(kind):
        return [keywords(tuple(map(text, found or ()))) for found in array.to_pylist()]
    if types.is_nested(kind):
        return [None] * len(array)
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        array = array.cast(pa.string())  # dates, decimals, dictionaries
    cells: list[Cell] = array.to_pylist()
    return cells


@contextmanager
def _opened(path: Path) -> Iterator[parquet.ParquetFile]:
    """The open file; what is wrong with it is a CatalogError."""
    try:
        with parquet.ParquetFile(path, buffer_size=_READ_BYTES, pre_buffer=False) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise CatalogError(f"{path} cannot be read as Parquet: {error}") from error
