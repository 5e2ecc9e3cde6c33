"""Which products a model learns from, is chosen by, and is judged by."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from goods.errors import CatalogError
from goods.product import Product
from goods.schema import CatalogSchema
from goods.values import split_name

SPLITS = ("train", "val", "test")
FILE_NAME = "splits.csv"
"""What a checkpoint calls the splits that it was trained with."""

_SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a splits file puts one product.

    Attributes:
        split: "train", "val" or "test".
        group: What it shares with its near-identical twins, if the file says so.
    """

    split: str
    group: str | None = None


def split_of_group(group: str) -> str:
    """The split of all products of a group: by a digest of its name, so always the same."""
    digest = blake2b(group.encode(), digest_size=8).digest()
    point = int.from_bytes(digest, "big") / 2**64
    for split, share in _SHARES.items():
        if point < share:
            return split
        point -= share
    return SPLITS[-1]


PlaceOf = Callable[[Product], Place | None]


def given_places(splits_file: Path | None, schema: CatalogSchema) -> PlaceOf | None:
    """Where products belong: by a splits file, else by the catalog's own column, else None.

    Raises:
        CatalogError: The file cannot be read.
    """
    if splits_file:
        places = read_splits(splits_file)
        return lambda product: places.get(product.id)
    if schema.split:
        return lambda product: Place(product.split) if product.split else None
    return None


def read_splits(path: Path) -> dict[str, Place]:
    """The splits of a CSV with the columns `id`, `split` and, if it has it, `dup_group`.

    Raises:
        CatalogError: It cannot be read, or names another split than train, val or test.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if missing := {"id", "split"} - set(rows.fieldnames or ()):
                raise CatalogError(f"{path} has no column {min(missing)}; it needs id, split")
            return dict(_places(path, rows))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogError(f"the splits file {path} cannot be read: {error}") from error


def _places(path: Path, rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, Place]]:
    for number, row in enumerate(rows, start=1):
        try:
            split = split_name(row["split"])
        except ValueError as error:
            raise CatalogError(
                f"{path} row {number} (product {row['id']}): split {error}"
            ) from error
        if split:
            yield row["id"], Place(split, row.get("dup_group") or None)


def write_splits(path: Path, places: Mapping[str, Place]) -> None:
    """Write what `read_splits` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("id", "split", "dup_group"))
        rows.writerows((id_, place.split, place.group or "") for id_, place in places.items())
