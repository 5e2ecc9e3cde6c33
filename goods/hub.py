"""A data set of the Hugging Face hub, by its name.

The package `datasets` says which Parquet files it is made of; their rows are then read by ranges,
without their pictures where only words are asked for, and the place of a row in its file is enough
to load its picture again. Of data sets in other formats, the hub keeps a version in Parquet.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goods.errors import CatalogError
from goods.parquet import ParquetTable
from goods.source import Source, source_at

if TYPE_CHECKING:  # a second to import, for one kind of source
    from datasets import DatasetBuilder

_NAMED = re.compile(r"hub:(?P<name>[^:@]+)(:(?P<config>[^@]+))?(@(?P<split>.+))?")
_COUNTER = "row"  # many data sets have no ids; a schema file may say `id = "row"`
_CONVERTED = "refs/convert/parquet"  # the hub's own branch, of every public data set


@dataclass(frozen=True, slots=True)
class HubData:
    """What the files of a data set were named by."""

    location: str
    first: Source

    @property
    def name(self) -> str:
        """See `goods.source.Source`."""
        return self.location.removeprefix("hub:")

    def open(self) -> io.RawIOBase:
        """See `goods.source.Source`; the first file."""
        return self.first.open()

    def locate(self, reference: str) -> str:
        """See `goods.source.Source`."""
        return self.first.locate(reference)


def is_hub(location: str) -> bool:
    """Whether a location names a data set of the hub."""
    return location.startswith("hub:")


def open_hub(location: str) -> ParquetTable:
    """The rows of `hub:owner/name`, `hub:owner/name:config@split`: without a split, of all splits.

    Raises:
        CatalogError: There is no such data set, configuration or split, or the hub is out of reach.
    """
    named = _NAMED.fullmatch(location)
    if named is None:
        raise CatalogError(f"{location}: write hub:owner/name, hub:owner/name:config or ...@split")
    name, config, split = named["name"], named["config"], named["split"]
    with _named(location):
        builder = _builder(name, config)
        if not _is_parquet(builder):
            builder = _builder(name, config, _CONVERTED)
    splits = {str(known): files for known, files in (builder.config.data_files or {}).items()}
    if split and split not in splits:
        raise CatalogError(f"{location}: there is no split {split!r}; there are {[*splits]}")
    chosen = [splits[split]] if split else splits.values()
    files = [source_at(str(file)) for listed in chosen for file in listed]
    if not files or not _is_parquet(builder):
        raise CatalogError(f"{location} has no Parquet version on the hub; download its pictures")
    return ParquetTable.open(HubData(location, files[0]), files).with_counter(_COUNTER)


def _builder(name: str, config: str | None, revision: str | None = None) -> "DatasetBuilder":
    from datasets import load_dataset_builder

    return load_dataset_builder(name, config, revision=revision)


def _is_parquet(builder: "DatasetBuilder") -> bool:
    from datasets.packaged_modules.parquet.parquet import Parquet

    return isinstance(builder, Parquet)


@contextmanager
def _named(location: str) -> Iterator[None]:
    """Lets every error say which data set it is about."""
    try:
        from datasets.exceptions import DatasetsError
    except ImportError as error:
        raise CatalogError(
            f"{location}: hub: needs a package that is not installed: pip install datasets"
        ) from error
    try:
        yield
    except (OSError, ValueError, DatasetsError) as error:
        raise CatalogError(f"{location} cannot be found: {error}") from error
