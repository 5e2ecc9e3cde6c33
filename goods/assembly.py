"""From a row of a catalog to a product.

A plan over a million products waits for this code: what can be decided once per catalog is decided
in `Assembler.__init__`, and what a column repeats is read once.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from goods.errors import RowError
from goods.product import Picture, Product, Value, picture_path
from goods.schema import CatalogSchema, Field, picture_parts
from goods.tables import Row
from goods.urls import is_url
from goods.values import Cell, split_name, text, value

MAX_ID_LENGTH = 512
MAX_TEXT_LENGTH = 10_000
"""Characters. A longer title or keyword is a broken file; of a longer description, the beginning
says more than any text encoder reads."""

_KEPT_VALUES = 4096  # of each field; a keyword or a price comes again, and is then one object


class Assembler:
    """Makes products of rows, in one pass over a catalog; owns the ids that it has met.

    Args:
        schema: What the columns are for.
        columns: All columns of the catalog; `self.columns` are those that its rows need.
        locate: From a picture reference of this catalog to a location.
    """

    def __init__(
        self, schema: CatalogSchema, columns: Collection[str], locate: Callable[[str], str]
    ) -> None:
        before, *rest = picture_parts(schema.picture, columns)
        pictures, self._literals = rest[::2], (before, *rest[1::2])
        roles = [schema.id, schema.title, schema.group, schema.split, *pictures, *schema.texts]
        plain = tuple(dict.fromkeys(filter(None, roles)))  # the id first
        attributes = (field.column for field in schema.fields)
        self.columns = tuple(dict.fromkeys([*plain, *attributes]))
        place = {column: n for n, column in enumerate(self.columns)}
        self._schema = schema
        self._locate = locate
        self._plain = len(plain)
        self._title = place[schema.title] if schema.title else None
        self._group = place[schema.group] if schema.group else None
        self._split = place[schema.split] if schema.split else None
        self._pictures = [place[column] for column in pictures]
        self._texts = [(column, place[column]) for column in schema.texts]
        self._fields = [(f.name, place[f.column], _reader(f)) for f in schema.fields]
        self._first_rows: dict[int, int] = {}

    def product(self, row: Row) -> Product:
        """The product of a row.

        Raises:
            RowError: A cell does not fit, or the id came before.
        """
        if row.fault:
            raise RowError(row.fault)
        product = self._product(row)
        self.note(product.id, product.row)
        return product

    def content(self, row: Row) -> tuple[bytes, str] | None:
        """All that the product of a row is made of, and where its picture is: "" for a web page's.

        With the same schema, rows of equal content make equal products. None where the row is none,
        and where it carries its picture, which would have to be read.
        """
        cells = row.cells
        if row.fault or isinstance(cells[self._pictures[0]], Picture):
            return None
        try:
            location = "" if self._is_by_url(cells) else self._picture(cells).location
        except RowError:
            return None
        return repr((location, cells)).encode(), location  # tells 1, 1.0, True and "1" apart

    def note(self, product_id: str, number: int) -> None:
        """Remember which row has the id.

        8 bytes stand for it: in 37 million catalogs of a million ids, two agree.

        Raises:
            RowError: The id came before.
        """
        first_row = self._first_rows.setdefault(hash(product_id), number)
        if first_row != number:
            raise RowError(f"row {first_row} has the same {self._schema.id}; make it unique")

    def product_id(self, row: Row) -> str | None:
        """The id of a row that is no product, as far as it has one; printable."""
        shown = text(row.cells[0] if row.cells else None)[:MAX_ID_LENGTH]
        if not shown.isascii():
            shown = shown.encode(errors="replace").decode()
        return shown or None

    def _product(self, row: Row) -> Product:
        cells = row.cells
        shown = [*map(text, cells[: self._plain])]
        _check_characters("".join(shown))
        product_id = shown[0]
        if not product_id:
            raise RowError(f"it has no id: {self._schema.id} is empty")
        _check_length(self._schema.id, product_id, MAX_ID_LENGTH)
        title = "" if self._title is None else shown[self._title]
        _check_length(self._schema.title, title, MAX_TEXT_LENGTH)
        picture = self._picture(cells)
        return Product(
            id=product_id,
            picture=picture,
            title=title,
            attributes=self._attributes(cells),
            texts={
                column: shown[place][:MAX_TEXT_LENGTH]
                for column, place in self._texts
                if shown[place]
            },
            group=None if self._group is None else shown[self._group] or None,
            split=None if self._split is None else self._split_name(shown[self._split]),
            thumbnail=self._thumbnail(product_id, picture),
            row=row.number,
        )

    def _thumbnail(self, product_id: str, picture: Picture) -> str:
        """Where browsers see a picture that is no web page's own."""
        url = self._schema.public_url
        if not url or is_url(picture.location):
            return ""
        return url.rstrip("/") + picture_path(product_id)

    def _split_name(self, shown: str) -> str | None:
        try:
            return split_name(shown)
        except ValueError as error:
            raise RowError(f"{self._schema.split} {error}") from error

    def _picture(self, cells: Sequence[Cell]) -> Picture:
        cell = cells[self._pictures[0]]
        if isinstance(cell, Picture):
            return cell
        reference = self._literals[0]
        for place, literal in zip(self._pictures, self._literals[1:], strict=True):
            shown = text(cells[place])
            if not shown:
                raise RowError(f"it has no picture: {self.columns[place]} is empty")
            reference += shown + literal
        if isinstance(cell, tuple):  # of several pictures, shops put the main one first
            reference = cell[0]
        return Picture(self._locate(reference))

    def _is_by_url(self, cells: Sequence[Cell]) -> bool:
        """Whether the picture's cell is a URL, which is the same wherever the catalog is."""
        cell = cells[self._pictures[0]]
        return not self._literals[0] and isinstance(cell, str) and is_url(cell)

    def _attributes(self, cells: Sequence[Cell]) -> dict[str, Value]:
        attributes: dict[str, Value] = {}
        for name, place, read in self._fields:
            found = read(cells[place])
            if found is not None:
                attributes[name] = found
        return attributes


def _reader(field: Field) -> Callable[[Cell], Value | None]:
    """From a cell to the value of a field; it raises RowError where the cell does not fit."""

    @lru_cache(_KEPT_VALUES, typed=True)  # typed: 1, 1.0 and True are equal, and not the same
    def read(cell: Cell) -> Value | None:
        _check_characters(text(cell))
        try:
            found = value(cell, field.kind, field.separator)
        except ValueError as error:
            raise RowError(f"{field.column} {error}") from error
        longest = max(found, key=len) if isinstance(found, tuple) else found
        if isinstance(longest, str):
            _check_length(field.column, longest, MAX_TEXT_LENGTH)
        return found

    return read


def _check_characters(cells: str) -> None:
    if "\0" in cells:
        raise RowError("it has a NUL byte; the file is damaged or not text")
    if cells.isascii():
        return
    try:
        cells.encode()
    except UnicodeEncodeError as error:
        raise RowError(f"it has half a character, {cells[error.start]!r}") from error


def _check_length(column: str | None, shown: str, longest: int) -> None:
    if len(shown) > longest:
        raise RowError(f"{column} has {len(shown):,} characters; {longest:,} are allowed")
