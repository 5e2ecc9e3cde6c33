"""Parquet files: their rows, and the pictures that are embedded in them.

An embedded picture is a `binary` column or, as data sets on a hub have it, a `struct<bytes, path>`.
Its location is what `goods.embedded` loads it by.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import quote

import pyarrow as pa
from pyarrow import parquet, types

from goods.errors import CatalogError
from goods.product import Picture
from goods.source import LocalFile, Source
from goods.tables import Row, check_columns
from goods.values import Cell, keywords, text

_BATCH_BYTES = 16 << 20  # of rows decoded at a time, as far as the row groups tell their size
_MAX_BATCH_ROWS = 4096
_READ_BYTES = 1 << 20  # at a time; pyarrow's own read-ahead keeps every row group it has read
_PICTURE_NAME = re.compile(r"(?i)image|img|picture|photo")  # other bytes may be hashes


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """The rows of a Parquet file, or of several ones that belong together.

    Attributes:
        source: The file, or what several ones were named by.
        files: All of them, in order.
        columns: The top-level columns of the first one; the others have them, too.
        embedded: Those that hold encoded pictures.
        counter: One more column, which the files do not have: the number of the row.
    """

    source: Source
    files: tuple[Source, ...]
    columns: tuple[str, ...]
    embedded: tuple[str, ...]
    counter: str | None = None

    @classmethod
    def open(cls, source: Source, files: Sequence[Source] = ()) -> Self:
        """The file, or these several ones, with the footer of the first one read.

        Raises:
            CatalogError: It is damaged, or a name stands for two columns.
        """
        files = tuple(files or [source])
        with _opened(files[0]) as file:
            schema = file.schema_arrow
            columns = check_columns(files[0], schema.names)
            return cls(source, files, columns, embedded_columns(schema))

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """See `goods.tables.Table`.

        Memory: about twice the largest row group of these columns (pyarrow 26).
        """
        rows_before = 0
        for source in self.files:
            with _opened(source) as file:
                self._check(source, file.schema_arrow, columns)
                names = _class_names(file.schema_arrow)
                first_row = rows_before
                for batch in _batches(file, [c for c in columns if c != self.counter]):
                    numbers = range(rows_before + 1, rows_before + 1 + batch.num_rows)
                    cells: list[Sequence[Cell]] = []
                    for column in columns:
                        if column == self.counter:
                            cells.append(numbers)
                        elif column in self.embedded:
                            before = rows_before - first_row
                            cells.append(self._pictures(source, batch[column], before, column))
                        else:
                            cells.append(_plain_cells(batch[column], names.get(column)))
                    yield from map(Row, numbers, zip(*cells, strict=True))
                    rows_before += batch.num_rows

    def with_counter(self, name: str) -> Self:
        """The same rows with their numbers in a column, unless there is one of this name."""
        if name in self.columns:
            return self
        return replace(self, columns=(*self.columns, name), counter=name)

    def count(self) -> int | None:
        """See `goods.tables.Table`; of several files on a network, the first is taken for all."""
        looked_at = self.files if isinstance(self.source, LocalFile) else self.files[:1]
        counted = 0
        for source in looked_at:
            with _opened(source) as file:
                counted += file.metadata.num_rows
        return counted * len(self.files) // len(looked_at)

    def _check(self, source: Source, schema: pa.Schema, columns: Sequence[str]) -> None:
        """Refuse a file that has not what the first one has."""
        embedded = {*self.embedded}.intersection(columns)
        stored = {*columns} - {self.counter}
        missing = stored - {*schema.names} or embedded - {*embedded_columns(schema)}
        if missing:
            raise CatalogError(
                f"{source.location} has other columns than {self.files[0].location}: "
                f"{sorted(missing)} is not the same"
            )

    def _pictures(
        self, source: Source, array: "pa.Array[Any]", before: int, column: str
    ) -> list[Cell]:
        """The cells of a column of pictures, after `before` rows of the same file."""
        suffix = "" if column == self.embedded[0] else f"&column={quote(column)}"
        return [
            Picture(f"{source.location}#row={row}{suffix}", data) if data is not None else reference
            for row, (data, reference) in enumerate(encoded(array.to_pylist()), before)
        ]


def embedded_columns(schema: pa.Schema) -> tuple[str, ...]:
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


def encoded(cells: Iterable[Any]) -> Iterator[tuple[bytes | None, str | None]]:
    """The bytes, or else the path or URL, of every picture of an embedded column."""
    for cell in cells:
        yield (cell["bytes"], cell.get("path")) if isinstance(cell, dict) else (cell, None)


def _batches(file: parquet.ParquetFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file, so many at a time that they fit into `_BATCH_BYTES`."""
    metadata = file.metadata
    size = sum(metadata.row_group(n).total_byte_size for n in range(file.num_row_groups))
    fitting = _BATCH_BYTES * max(1, metadata.num_rows) // max(1, size)
    at_once = min(max(1, fitting), _MAX_BATCH_ROWS)
    yield from file.iter_batches(at_once, columns=columns, use_threads=False)


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """What the numbers of a column stand for, as data sets of the hub note it in the file."""
    noted = (schema.metadata or {}).get(b"huggingface", b"{}")
    features = json.loads(noted).get("info", {}).get("features", {})
    return {
        column: feature["names"]
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
    }


def _plain_cells(array: "pa.Array[Any]", names: Sequence[str] | None) -> list[Cell]:
    """Numbers, booleans and lists as they are, nested records as nothing, the rest as text."""
    kind = array.type
    if names:  # -1 stands for unknown
        numbers = array.to_pylist()
        return [names[n] if n is not None and 0 <= n < len(names) else None for n in numbers]
    if types.is_list(kind) or types.is_large_list(kind):
        return [keywords(tuple(map(text, found or ()))) for found in array.to_pylist()]
    if types.is_nested(kind):
        return [None] * len(array)
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        array = array.cast(pa.string())  # dates, decimals, dictionaries
    cells: list[Cell] = array.to_pylist()
    return cells


@contextmanager
def _opened(source: Source) -> Iterator[parquet.ParquetFile]:
    """The open file; what is wrong with it is a CatalogError."""
    try:
        with (
            source.open() as stream,
            parquet.ParquetFile(stream, buffer_size=_READ_BYTES, pre_buffer=False) as file,
        ):
            yield file
    except (OSError, pa.ArrowException) as error:
        raise CatalogError(f"{source.location} cannot be read as Parquet: {error}") from error
