"""Rows of text files: CSV and TSV, and JSON Lines; plain or gzipped.

Readers give every data row its number and never stop at a bad one: a row that cannot be read
carries its fault. What the cells mean is decided in `goods.assembly`.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple, Protocol, Self, TextIO, TypeGuard

from goods.errors import CatalogError
from goods.source import Source
from goods.text_file import count_lines, open_text
from goods.values import Cell, keywords, text

SAMPLE_ROWS = 5000
"""Rows from which columns and their meaning are inferred: at most a quarter of a second (measured
on the 44k catalog), and enough to see a keyword of one product in a thousand."""

_MAX_CELL = 1 << 26
"""Characters; beyond it a quote was surely left open, and memory has to stay bounded."""


class Row(NamedTuple):
    """One data row.

    Attributes:
        number: 1 for the first row after the header; blank lines do not count.
        cells: The cells of the columns asked for; of a faulty row, as far as it has them.
        fault: Why it cannot be used, if so.
    """

    number: int
    cells: tuple[Cell, ...] = ()
    fault: str = ""


class Table(Protocol):
    """Rows that can be read any number of times."""

    @property
    def source(self) -> Source:
        """Where they are, as errors call it, and what pictures are relative to."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All its columns, in order."""

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """Every row in file order, with the cells of these columns.

        Raises:
            CatalogError: The rest of the file cannot be read.
        """

    def count(self) -> int | None:
        """About how many rows there are, where that is cheap to know."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV or TSV file.

    Attributes:
        source: Its file.
        columns: The cells of its first row.
        delimiter: Between the cells of a row.
        joins_rest: Whether surplus cells are the rest of the last one, whose commas nobody quoted.
    """

    source: Source
    columns: tuple[str, ...]
    delimiter: str
    joins_rest: bool = False

    @classmethod
    def open(cls, source: Source) -> Self:
        """The file, with its header read.

        Raises:
            CatalogError: It has no usable header.
        """
        with open_text(source) as lines:
            first = next(filter(str.strip, lines), "")
            delimiter = "\t" if ".tsv" in source.name.lower() else max(",;\t|", key=first.count)
            header = next(csv.reader(chain([first], lines), delimiter=delimiter), [])
        columns = [name.strip() or f"Unnamed: {n}" for n, name in enumerate(header)]
        return cls(source, check_columns(source, columns), delimiter)

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """See `Table`."""
        wanted = [self.columns.index(column) for column in columns]
        pick = itemgetter(*wanted, *wanted[:1])  # never one alone, which would come as no tuple
        with open_text(self.source) as lines:
            records = self._records(lines)
            next(records)
            for number, (cells, fault) in enumerate(records, 1):
                if fault:
                    picked = tuple(cells[n] if n < len(cells) else None for n in wanted)
                else:
                    picked = pick(cells)[:-1]
                yield Row(number, picked, fault)

    def count(self) -> int | None:
        """See `Table`; line breaks inside cells are counted, too."""
        return count_lines(self.source, header=1)

    def _records(self, lines: TextIO) -> Iterator[tuple[list[str], str]]:
        """The cells of every record, the header's first, and what is wrong with them."""
        csv.field_size_limit(_MAX_CELL)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        width = len(self.columns)
        while True:
            first_line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield [], f"the quotes of line {first_line} do not match ({error})"
                continue
            if cells is None:
                return
            if len(cells) > width and self.joins_rest:
                cells[width - 1 :] = [self.delimiter.join(cells[width - 1 :])]
            if len(cells) == width:
                yield cells, ""
            elif any(map(str.strip, cells)):
                yield cells, _wrong_width(len(cells), width, first_line, reader.line_num)


@dataclass(frozen=True, slots=True)
class JsonTable:
    """A JSON Lines file: one object per line.

    Attributes:
        source: Its file.
        columns: The keys of its first objects; keys that come later are not read.
    """

    source: Source
    columns: tuple[str, ...]

    @classmethod
    def open(cls, source: Source) -> Self:
        """The file, with the keys of its first objects.

        Raises:
            CatalogError: There is no object among them.
        """
        with open_text(source) as lines:
            sample = [*map(_parse_object, islice(filter(str.strip, lines), SAMPLE_ROWS))]
            keys = list(dict.fromkeys(chain.from_iterable(filter(_is_object, sample))))
        if not keys and sample and isinstance(sample[0], str):
            raise CatalogError(
                f"{source.location} has no line with a JSON object; of the first one: {sample[0]}"
            )
        return cls(source, check_columns(source, keys))

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """See `Table`."""
        with open_text(self.source) as lines:
            for number, line in enumerate(filter(str.strip, lines), 1):
                found = _parse_object(line)
                if isinstance(found, dict):
                    yield Row(number, tuple(_json_cell(found.get(column)) for column in columns))
                else:
                    yield Row(number, fault=found)

    def count(self) -> int | None:
        """See `Table`."""
        return count_lines(self.source, header=0)


def check_columns(source: Source, columns: Iterable[str]) -> tuple[str, ...]:
    """The columns of a file, when there are any and no name is there twice.

    Raises:
        CatalogError: Otherwise.
    """
    counts = Counter(columns)
    if not counts:
        raise CatalogError(
            f"{source.location} is empty; a catalog has a header and at least one product"
        )
    if repeated := [column for column, count in counts.items() if count > 1]:
        raise CatalogError(
            f"{source.location} has more than one column {repeated}; rename all but one"
        )
    return tuple(counts)


def _wrong_width(cells: int, columns: int, first_line: int, last_line: int) -> str:
    fault = f"it has {cells} cells, but the header has {columns}"
    if last_line > first_line:  # a quote that is left open swallows the rows after it
        fault += f"; it goes from line {first_line} to {last_line}: is a quote left open?"
    return fault


def _parse_object(line: str) -> dict[str, object] | str:
    """The object of a line, or what is wrong with the line."""
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error})"
    return parsed if isinstance(parsed, dict) else "it is not a JSON object"


def _is_object(found: dict[str, object] | str) -> TypeGuard[dict[str, object]]:
    return isinstance(found, dict)


def _json_cell(found: object) -> Cell:
    """A scalar as it is, a list as its scalars, and nothing for an object."""
    if found is None or isinstance(found, str | int | float):
        return found
    if isinstance(found, list):
        return keywords(tuple(text(_json_cell(item)) for item in found))
    return None
