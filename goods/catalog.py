"""A catalog: products out of a table, wherever that is (see `goods.sources`).

It is read as a stream, as often as wanted. A row that is no product is reported and passed over; a
catalog that cannot be used is refused before any work.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from uuid import UUID

from goods.assembly import Assembler
from goods.errors import CatalogError, RowError, SchemaError
from goods.infer import infer_schema
from goods.overrides import Overrides, read_overrides
from goods.parquet import ParquetTable
from goods.picture_folder import PictureFolder
from goods.product import Product, point_id
from goods.schema import CatalogSchema, Field, FieldKind
from goods.sources import KAGGLE_PICTURES, is_kaggle, open_table
from goods.tables import SAMPLE_ROWS, CsvTable, JsonTable, Row, Table


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is no product.

    Attributes:
        row: The 1-based data row.
        product_id: Its id, as far as it has one.
        reason: What is wrong with which cell, beginning with file, row and product.
    """

    row: int
    product_id: str | None
    reason: str


@dataclass(slots=True)
class Entry:
    """A row before it is read: who knows what it says need not make a product of it.

    Attributes:
        id: The product's id, as far as it has one; printable.
    """

    id: str | None
    _row: Row
    _assembler: Assembler
    _catalog: str
    _point: UUID | None = None

    @property
    def point(self) -> UUID:
        """The id of its point in every index."""
        self._point = self._point or point_id(self.id or "")
        return self._point

    @property
    def row(self) -> int:
        """Its 1-based data row."""
        return self._row.number

    def content(self) -> tuple[bytes, str] | None:
        """See `Assembler.content`."""
        return self._assembler.content(self._row)

    def product(self) -> Product | RefusedRow:
        """The product, or the reason why it is none."""
        try:
            return self._assembler.product(self._row)
        except RowError as error:
            return self._refused(error)

    def repeated(self) -> RefusedRow | None:
        """What `product` says when the id came before; to be asked where it is not read."""
        try:
            self._assembler.note(self.id or "", self._row.number)
        except RowError as error:
            return self._refused(error)
        return None

    def _refused(self, error: RowError) -> RefusedRow:
        place = f"{self._catalog} row {self._row.number}"
        place += f" (product {self.id})" if self.id else ""
        return RefusedRow(self._row.number, self.id, f"{place}: {error}")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The products of a shop.

    Attributes:
        schema: What its columns are for.
        table: Its rows.
        is_inferred: Whether nobody has said what its columns are for.
    """

    schema: CatalogSchema
    table: Table
    is_inferred: bool = False

    @property
    def location(self) -> str:
        """Where it is: an absolute path, a URL, or what else it was named by."""
        return self.table.source.location

    @property
    def name(self) -> str:
        """The last part of its location."""
        return self.table.source.name

    @property
    def columns(self) -> tuple[str, ...]:
        """All its columns, also those without a use."""
        return self.table.columns

    def seen_at(self, public_url: str) -> "Catalog":
        """The same catalog, its pictures shown to browsers by `goods serve` at this URL.

        Raises:
            CatalogError: It is no http(s) URL.
        """
        if not re.match(r"https?://[^/\s]", public_url):
            raise CatalogError(
                f"{public_url!r} is no address that a browser could open; "
                "write it as https://search.example.com"
            )
        return replace(self, schema=replace(self.schema, public_url=public_url))

    def continuing(self, fields: Iterable[Field]) -> "Catalog":
        """The same catalog with these fields of an index, also where its rows do not suggest them.

        So a price stays a number though a few rows say "call us": those are refused one by one; and
        sizes stay lists though tonight's rows have one each.
        What somebody has said in a schema file is left as it is.

        Raises:
            SchemaError: The column of one is gone, or has another use now.
        """
        lost = [f for f in fields if self._loses(f)]
        if not lost or not self.is_inferred:
            return self
        table, schema = self.table, self.schema
        columns = [f.column for f in lost]
        if isinstance(table, JsonTable):  # that the first objects lack a key does not say much
            rare = (column for column in columns if column not in table.columns)
            table = replace(table, columns=(*table.columns, *rare))
        for one in lost:
            if one.column not in table.columns or one.column in schema.roles:
                change = "is gone" if one.column not in table.columns else "has another use now"
                raise SchemaError(
                    f"{self.location}: the column {one.column} {change}, and the index has it as "
                    f"the {one.kind} field {one.name}; mend the catalog, or say what its columns "
                    "are for with --schema, or ingest with --rebuild"
                )
        names = {f.name for f in lost}
        others = [f for f in schema.fields if f.name not in names]
        kept = sorted((*others, *lost), key=lambda f: table.columns.index(f.column))
        texts = tuple(text for text in schema.texts if text not in columns)
        return replace(self, table=table, schema=replace(schema, fields=tuple(kept), texts=texts))

    def _loses(self, field: Field) -> bool:
        """Whether a field of an index is none here, or has its separator no more."""
        own = self.schema.field(field.name)
        return own is None or own == replace(field, separator="") != field

    def products(self) -> Iterator[Product | RefusedRow]:
        """Every row in order: a product, or the reason why it is none.

        Memory: a batch of rows, and 110 bytes per product to notice an id that comes again
        (measured with CPython 3.11).

        Raises:
            CatalogError: The rest of it cannot be read.
        """
        return (entry.product() for entry in self.entries())

    def entries(self) -> Iterator[Entry]:
        """Every row in order, unread; as `products` otherwise."""
        assembler = Assembler(self.schema, self.columns, self.table.source.locate)
        name = self.name
        for row in self.table.rows(assembler.columns):
            yield Entry(assembler.product_id(row), row, assembler, name)

    def count_estimate(self) -> int | None:
        """About how many rows there are; None where only reading them all would tell."""
        return self.table.count()


def open_catalog(location: Path | str, schema_file: Path | None = None) -> Catalog:
    """The catalog at a location, its schema inferred from the first rows.

    Args:
        location: What `goods.sources.open_table` opens: a file, a folder, a URL, `-` ...
        schema_file: A TOML that goes before what is inferred.

    Raises:
        CatalogError: It is missing, unreadable or empty, or has no id or no picture.
        SchemaError: The schema file contradicts itself or the catalog.
    """
    table = open_table(location)
    told = read_overrides(schema_file, table.columns) if schema_file else Overrides()
    schema = _infer(table, _with_layout(told, table))
    if isinstance(table, CsvTable) and table.columns[-1] in (schema.title, *schema.texts):
        table = replace(table, joins_rest=True)
    return Catalog(schema, table, is_inferred=schema_file is None)


def _with_layout(told: Overrides, table: Table) -> Overrides:
    """What a schema file says, and beside it what the layout does: embedded, Kaggle's, a folder."""
    if isinstance(table, ParquetTable) and table.embedded:
        return replace(told, picture=told.picture or table.embedded[0])
    if is_kaggle(table):
        return replace(told, picture=told.picture or KAGGLE_PICTURES)
    if isinstance(table, PictureFolder):
        is_free = "category" in table.columns and "category" not in (*told.ignore, *told.settled)
        return replace(
            told,
            id=told.id or "id",
            picture=told.picture or "picture",
            title="title" if told.title is None else told.title,
            fields={"category": FieldKind.KEYWORD, **told.fields} if is_free else told.fields,
        )
    return told


def _infer(table: Table, told: Overrides) -> CatalogSchema:
    embedded = table.embedded if isinstance(table, ParquetTable) else ()  # only bytes to read
    columns = [column for column in table.columns if column not in embedded]
    sample = list(islice(table.rows(columns), SAMPLE_ROWS))
    readable = [row.cells for row in sample if not row.fault]
    location = table.source.location
    if not sample:
        raise CatalogError(f"{location} has no products: nothing follows the header")
    if not readable:
        raise CatalogError(f"{location} has no row that can be read; row 1: {sample[0].fault}")
    try:
        return infer_schema(columns, readable, told)
    except CatalogError as error:
        raise CatalogError(f"{location}: {error}") from error
