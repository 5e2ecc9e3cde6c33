"""From what a user calls a catalog to its rows: the one place that knows every kind of source."""

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from goods import buckets
from goods.errors import CatalogError
from goods.hub import is_hub, open_hub
from goods.parquet import ParquetTable
from goods.picture_folder import PictureFolder
from goods.source import LocalFile, Source, source_at
from goods.spool import standard_input
from goods.tables import CsvTable, JsonTable, Table

STANDARD_INPUT = "-"
KAGGLE_PICTURES = "images/{id}.jpg"
_KAGGLE_TABLE = "styles.csv"


def open_table(location: Path | str) -> Table:
    """The rows of a catalog.

    Args:
        location: A `.csv`, `.tsv`, `.jsonl` or `.parquet` file, the first three also as `.gz`, as a
            path or at `https://`, `s3://`, `gs://` ...; several Parquet files, as a folder or a
            pattern with `*`; Kaggle's folder with `styles.csv` and `images/`; a folder of pictures;
            `hub:owner/name`; or `-` for JSON Lines on standard input.

    Raises:
        CatalogError: It is missing, unreadable, or of another kind.
    """
    shown = str(location)
    if shown == STANDARD_INPUT:
        return JsonTable.open(standard_input())
    if is_hub(shown):
        return open_hub(shown)
    source = source_at(shown)
    if isinstance(source, LocalFile):
        return _open_local(source)
    if buckets.is_bucket(shown) and (has_magic(shown) or shown.endswith("/")):
        pattern = f"{shown}*.parquet" if shown.endswith("/") else shown
        return _open_several(source_at(pattern), _found(pattern))
    return _open_file(source)


def is_kaggle(table: Table) -> bool:
    """Whether a table is that of Kaggle's Fashion Product Images, with its pictures beside it."""
    source = table.source
    if not isinstance(source, LocalFile) or source.name != _KAGGLE_TABLE:
        return False
    return "id" in table.columns and (source.path.parent / "images").is_dir()


def _open_local(source: LocalFile) -> Table:
    path = source.path
    if path.is_dir():
        return _open_folder(path)
    if path.exists():
        return _open_file(source)
    if has_magic(source.location):
        found = glob(source.location, recursive=True)  # noqa: PTH207 - Path's needs a folder first
        return _open_several(source, sorted(found))
    raise CatalogError(f"{path} does not exist")


def _open_folder(path: Path) -> Table:
    if (path / _KAGGLE_TABLE).is_file():
        return _open_file(LocalFile(path / _KAGGLE_TABLE))
    if files := sorted(map(str, path.glob("*.parquet"))):
        return _open_several(LocalFile(path / "*.parquet"), files)
    if pictures := PictureFolder.open(path):
        return pictures
    raise CatalogError(
        f"the folder {path} has no {_KAGGLE_TABLE}, no .parquet files and no pictures; "
        "name the catalog's file"
    )


def _open_several(pattern: Source, files: Sequence[str]) -> Table:
    others = [file for file in files if not file.lower().endswith(".parquet")]
    if not files or others:
        found = f"leads to {others[0]}" if others else "leads to no file"
        raise CatalogError(f"{pattern.location} {found}; several files have to be .parquet")
    return ParquetTable.open(pattern, [source_at(file) for file in files])


def _found(pattern: str) -> list[str]:
    try:
        return buckets.find(pattern)
    except OSError as error:
        raise CatalogError(f"{pattern} cannot be read: {error}") from error


def _open_file(source: Source) -> Table:
    name = source.name.lower().removesuffix(".gz")
    if name.endswith((".csv", ".tsv")):
        return CsvTable.open(source)
    if name.endswith((".jsonl", ".ndjson")):
        return JsonTable.open(source)
    if name.endswith(".parquet"):
        return ParquetTable.open(source)
    raise CatalogError(f"{source.location}: a catalog is a .csv, .tsv, .jsonl or .parquet file")
