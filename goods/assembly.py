"""From a row of a catalog to a product."""

from collections.abc import Collection, Mapping
from hashlib import blake2b
from pathlib import Path

from goods.errors import RowError
from goods.product import Picture, Product, Value, absolute_location
from goods.schema import CatalogSchema, picture_parts
from goods.tables import Row
from goods.values import Cell, split_name, text, value

MAX_ID_LENGTH = 512
MAX_TEXT_LENGTH = 10_000
"""Characters. A longer title or keyword is a broken file; of a longer description, the beginning
says more than any text encoder reads."""


class Assembler:
    """Makes products of rows, in one pass over a catalog; owns the ids that it has met."""

    def __init__(self, file: Path, schema: CatalogSchema, columns: Collection[str]) -> None:
        self._folder = file.parent
        self._schema = schema
        self._picture_parts = picture_parts(schema.picture, columns)
        roles = [schema.id, schema.title, schema.group, schema.split, *self._picture_parts[1::2]]
        attributes = [field.column for field in schema.fields]
        self.columns = tuple(dict.fromkeys(filter(None, [*roles, *schema.texts, *attributes])))
        self._first_rows: dict[int, int] = {}

    def product(self, row: Row) -> Product:
        """The product of a row.

        Raises:
            RowError: A cell does not fit, or the id came before.
        """
        if row.fault:
            raise RowError(row.fault)
        product = self._product(row)
        self._note(product)
        return product

    def product_id(self, row: Row) -> str | None:
        """The id of a row that is no product, as far as it has one; printable."""
        shown = text(row.cells[0] if row.cells else None)[:MAX_ID_LENGTH]
        return shown.encode(errors="replace").decode() or None

    def _product(self, row: Row) -> Product:
        schema = self._schema
        cells = dict(zip(self.columns, row.cells, strict=True))
        shown = {column: text(cell) for column, cell in cells.items()}
        _check_characters("".join(shown.values()))
        return Product(
            id=self._id(shown),
            picture=self._picture(cells, shown),
            title=self._title(shown),
            attributes=self._attributes(cells),
            texts={
                column: shown[column][:MAX_TEXT_LENGTH] for column in schema.texts if shown[column]
            },
            group=(shown[schema.group] or None) if schema.group else None,
            split=self._split(shown),
            row=row.number,
        )

    def _id(self, shown: Mapping[str, str]) -> str:
        column = self._schema.id
        if not shown[column]:
            raise RowError(f"it has no id: {column} is empty")
        _check_length(column, shown[column], MAX_ID_LENGTH)
        return shown[column]

    def _title(self, shown: Mapping[str, str]) -> str:
        column = self._schema.title
        if column is None:
            return ""
        _check_length(column, shown[column], MAX_TEXT_LENGTH)
        return shown[column]

    def _split(self, shown: Mapping[str, str]) -> str | None:
        column = self._schema.split
        try:
            return split_name(shown[column]) if column else None
        except ValueError as error:
            raise RowError(f"{column} {error}") from error

    def _picture(self, cells: Mapping[str, Cell], shown: Mapping[str, str]) -> Picture:
        before, *rest = self._picture_parts
        columns, literals = rest[::2], rest[1::2]
        cell = cells[columns[0]]
        if isinstance(cell, Picture):
            return cell
        if missing := [column for column in columns if not shown[column]]:
            raise RowError(f"it has no picture: {missing[0]} is empty")
        if isinstance(cell, tuple):  # of several pictures, shops put the main one first
            reference = cell[0]
        else:
            filled = (
                shown[column] + after for column, after in zip(columns, literals, strict=True)
            )
            reference = before + "".join(filled)
        return Picture(absolute_location(reference, self._folder))

    def _attributes(self, cells: Mapping[str, Cell]) -> dict[str, Value]:
        attributes: dict[str, Value] = {}
        for field in self._schema.fields:
            try:
                found = value(cells[field.column], field.kind)
            except ValueError as error:
                raise RowError(f"{field.column} {error}") from error
            if isinstance(found, str):
                _check_length(field.column, found, MAX_TEXT_LENGTH)
            if found is not None:
                attributes[field.name] = found
        return attributes

    def _note(self, product: Product) -> None:
        """Remember the id by 8 bytes: in 37 million catalogs of a million ids, two agree."""
        digest = blake2b(product.id.encode(), digest_size=8).digest()
        first_row = self._first_rows.setdefault(int.from_bytes(digest, "big"), product.row)
        if first_row != product.row:
            raise RowError(f"row {first_row} has the same {self._schema.id}; make it unique")


def _check_characters(cells: str) -> None:
    if "\0" in cells:
        raise RowError("it has a NUL byte; the file is damaged or not text")
    try:
        cells.encode()
    except UnicodeEncodeError as error:
        raise RowError(f"it has half a character, {cells[error.start]!r}") from error


def _check_length(column: str, shown: str, longest: int) -> None:
    if len(shown) > longest:
        raise RowError(f"{column} has {len(shown):,} characters; {longest:,} are allowed")
