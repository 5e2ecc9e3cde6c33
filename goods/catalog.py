"""A catalog: products out of a CSV, JSON Lines or Parquet file, or a Kaggle folder.

It is read as a stream, as often as wanted. A row that is no product is reported and passed over; a
catalog that cannot be used is refused before any work.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from goods.assembly import Assembler
from goods.errors import CatalogError, RowError
from goods.infer import infer_schema
from goods.overrides import Overrides, read_overrides
from goods.parquet import ParquetTable
from goods.product import Product, absolute_location
from goods.schema import CatalogSchema
from goods.tables import SAMPLE_ROWS, CsvTable, JsonTable, Table

_KAGGLE_TABLE = "styles.csv"


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


@dataclass(frozen=True, slots=True)
class Catalog:
    """The products of a shop.

    Attributes:
        path: The file that they are in.
        schema: What its columns are for.
        table: Its rows.
    """

    path: Path
    schema: CatalogSchema
    table: Table

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the file, also those without a use."""
        return self.table.columns

    def products(self) -> Iterator[Product | RefusedRow]:
        """Every row in file order: a product, or the reason why it is none.

        Memory: a batch of rows, and 120 bytes per product to notice an id that comes again
        (measured with CPython 3.11).

        Raises:
            CatalogError: The rest of the file cannot be read.
        """
        folder = self.path.parent
        assembler = Assembler(
            self.schema, self.columns, lambda reference: absolute_location(reference, folder)
        )
        for row in self.table.rows(assembler.columns):
            try:
                yield assembler.product(row)
            except RowError as error:
                product_id = assembler.product_id(row)
                place = f"{self.path.name} row {row.number}"
                place += f" (product {product_id})" if product_id else ""
                yield RefusedRow(row.number, product_id, f"{place}: {error}")

    def count_estimate(self) -> int | None:
        """About how many rows there are; None where only reading them all would tell."""
        return self.table.count()


def open_catalog(path: Path | str, schema_file: Path | None = None) -> Catalog:
    """The catalog at a path, its schema inferred from the first rows.

    Args:
        path: A `.csv`, `.tsv`, `.jsonl` or `.parquet` file, the first three also as `.gz`; or a
            folder with `styles.csv` and `images/`, as Kaggle's.
        schema_file: A TOML that goes before what is inferred.

    Raises:
        CatalogError: It is missing, unreadable or empty, or has no id or no picture.
        SchemaError: The schema file contradicts itself or the catalog.
    """
    table = _open_table(_file_at(Path(path).expanduser().absolute()))
    told = read_overrides(schema_file, table.columns) if schema_file else Overrides()
    told = replace(told, picture=told.picture or _known_picture(table))
    schema = _infer(table, told)
    if isinstance(table, CsvTable) and table.columns[-1] in (schema.title, *schema.texts):
        table = replace(table, joins_rest=True)
    return Catalog(table.path, schema, table)


def _file_at(path: Path) -> Path:
    """The catalog's file; for a Kaggle folder, its table."""
    if not path.exists():
        raise CatalogError(f"{path} does not exist")
    if not path.is_dir():
        return path
    if not (path / _KAGGLE_TABLE).is_file():
        raise CatalogError(f"the folder {path} has no {_KAGGLE_TABLE}; name the catalog's file")
    return path / _KAGGLE_TABLE


def _open_table(file: Path) -> Table:
    name = file.name.lower().removesuffix(".gz")
    if name.endswith((".csv", ".tsv")):
        return CsvTable.open(file)
    if name.endswith((".jsonl", ".ndjson")):
        return JsonTable.open(file)
    if name.endswith(".parquet"):
        return ParquetTable.open(file)
    raise CatalogError(f"{file}: a catalog is a .csv, .tsv, .jsonl or .parquet file")


def _known_picture(table: Table) -> str | None:
    """The picture column or template, where the layout says it: embedded, or Kaggle's."""
    if isinstance(table, ParquetTable) and table.embedded:
        return table.embedded[0]
    is_kaggle = table.path.name == _KAGGLE_TABLE and (table.path.parent / "images").is_dir()
    return "images/{id}.jpg" if is_kaggle and "id" in table.columns else None


def _infer(table: Table, told: Overrides) -> CatalogSchema:
    embedded = table.embedded if isinstance(table, ParquetTable) else ()  # only bytes to read
    columns = [column for column in table.columns if column not in embedded]
    sample = list(islice(table.rows(columns), SAMPLE_ROWS))
    readable = [row.cells for row in sample if not row.fault]
    if not sample:
        raise CatalogError(f"{table.path} has no products: nothing follows the header")
    if not readable:
        raise CatalogError(f"{table.path} has no row that can be read; row 1: {sample[0].fault}")
    try:
        return infer_schema(columns, readable, told)
    except CatalogError as error:
        raise CatalogError(f"{table.path}: {error}") from error
