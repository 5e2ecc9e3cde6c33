"""Writing the sample catalog: pictures in parallel, then the table that names them."""

import csv
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, fields
from functools import partial
from pathlib import Path

from goods.errors import CatalogError
from goods.sample.design import Variant, variants
from goods.sample.paint import paint
from goods.sample.wording import Row, row

_COLUMNS = tuple(field.name for field in fields(Row))
_JPEG_QUALITY = 88
_CHUNK = 50  # pictures per task: about a second of work
_WORKERS_MAX = 8


def write_sample(
    folder: Path,
    count: int = 3000,
    seed: int = 0,
    size: int = 192,
    told: Callable[[int], None] = lambda _done: None,
) -> Path:
    """A made-up shop's catalog, drawn on the spot: the path of its `products.csv`.

    The pictures are `folder/images/<id>.jpg`, `size` pixels square. The same seed gives the same
    bytes under the same Pillow and NumPy, and fewer products are the first of more. The table is
    written last: a folder that has one is complete. `told` is told how many are drawn.

    Raises:
        CatalogError: The folder cannot be written, or holds another catalog.
    """
    shop = list(variants(count, seed))
    rows = [row(variant, seed) for variant in shop]
    table = folder / "products.csv"
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        _make_way(table)
        _write_pictures(shop, [folder / line.image for line in rows], size, told)
        _write_table(table, rows)
    except OSError as error:
        raise CatalogError(f"{folder}: the sample catalog cannot be written: {error}") from error
    return table


def _make_way(table: Path) -> None:
    """Remove the table of an earlier sample, and nothing else."""
    if not table.exists():
        return
    with table.open(encoding="utf-8", errors="replace") as file:
        is_sample = file.readline().rstrip("\n") == ",".join(_COLUMNS)
    if not is_sample:
        raise CatalogError(f"{table} is another catalog; write the sample to a folder of its own")
    table.unlink()


def _write_pictures(
    shop: list[Variant], paths: list[Path], size: int, told: Callable[[int], None]
) -> None:
    write = partial(write_picture, size=size)
    if len(shop) <= _CHUNK:  # starting processes would take longer
        for variant, path in zip(shop, paths, strict=True):
            write(variant, path)
        return
    workers = min(os.cpu_count() or 1, _WORKERS_MAX)
    context = multiprocessing.get_context("spawn")  # a fork would copy a caller's threads and locks
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for done, _ in enumerate(pool.map(write, shop, paths, chunksize=_CHUNK), 1):
            told(done)


def write_picture(variant: Variant, path: Path, size: int) -> None:
    """Paint one product and save it."""
    drawing = variant.design.kind.draw(variant.design.cut)
    picture = paint(drawing, variant.look, variant.shot, size)
    picture.save(path, quality=_JPEG_QUALITY, optimize=True)


def _write_table(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(astuple(line) for line in rows)
