"""How a plan, a first load and a nightly run grow with the catalog.

    python benchmarks/scale.py --products 10000 --products 100000 --products 1000000

The catalog, the planner, the journal and the index are the real ones. Pictures and model are not:
a picture is the bytes of its URL, and its vector is random, drawn by those bytes; so what is left
is what everything but downloading, decoding and embedding costs. Each size runs in a process of its
own. The nightly run has new prices for one product in a hundred; the last one has none. Peaks are
resident pages, those of mapped files among them: of the run, and of what builds the graph; and,
on Linux, what both have at a time that is no file's (looked at twice a second): that much memory
has to be there, while the system takes pages of files back when it needs room.
CPU seconds are those to compare where others use the machine, too.
"""

import csv
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import click
import numpy as np
import torch

COLOURS = ("Black", "White", "Navy Blue", "Red", "Green", "Beige", "Pink", "Grey")
TYPES = tuple(f"Type {n}" for n in range(60))


def write_catalog(path: Path, products: int, night: int = 0) -> None:
    """Rows of eight columns; from the first night on, one price in a hundred is another one."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "title", "type", "colour", "brand", "price", "in_stock"])
        for n in range(products):
            kind, colour = TYPES[n % 60], COLOURS[n % 7]
            price = 5 + n % 200 + (night if n % 100 == 7 else 0)
            image = f"https://img.example/{n % 97}/{n}.jpg"
            title = f"{colour} {kind} model {n}"
            brand, stock = f"Brand {n % 300}", "true" if n % 5 else "false"
            writer.writerow((f"SKU-{n}", image, title, kind, colour, brand, f"{price}.95", stock))


class Private:
    """The most memory that this process and its children had that is no file's, in MiB."""

    def __init__(self) -> None:
        self.peak = 0.0
        Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            with suppress(OSError):  # not Linux, or a child has just ended
                lists = Path("/proc/self/task").glob("*/children")
                children = " ".join(each.read_text() for each in lists).split()
                self.peak = max(self.peak, sum(map(self._of, ["self", *children])))
            time.sleep(0.5)

    def _of(self, process: str) -> float:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


class FakeEncoder:
    """Random unit vectors, the same for the same pixels."""

    name, stamp, image_size, made_by = "fake", "0" * 16, 1, "fake float32"
    backend = ""
    sends = False

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._noise = np.random.default_rng(0).normal(size=(1009, dimension)).astype(np.float32)

    def pixels(self, images: list[bytes]) -> torch.Tensor:
        """A number for each picture."""
        return torch.tensor([int.from_bytes(image[-12:], "big") % 2**62 for image in images])

    def sent(self, pixels: torch.Tensor) -> torch.Tensor:
        """They are where they are needed."""
        return pixels

    def embed_pixels(self, pixels: torch.Tensor) -> Any:
        """Sums of three noises."""
        numbers = pixels.numpy()
        vectors = sum(self._noise[numbers // 1009**power % 1009] for power in range(3))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def run_one(products: int, dimension: int, folder: Path) -> None:
    """Load, plan, and run two nights, each timed."""
    from goods import pictures
    from goods.catalog import open_catalog
    from goods.index import open_index
    from ingest import load
    from ingest.preview import preview
    from ingest.settings import IngestSettings
    from ingest.worker import ingest

    def start(_: object, picture: Any) -> Future[pictures.Fetched]:
        done: Future[pictures.Fetched] = Future()
        done.set_result(pictures.Fetched(picture.location.encode(), "etag"))
        return done

    pictures.PictureLoader.start = start  # type: ignore[method-assign] # no host has them
    load.decode = lambda data, *_, **__: data  # type: ignore[assignment]
    settings = IngestSettings(folder / "refused.jsonl", folder / "journal.db", batch_size=256)
    encoder: Any = FakeEncoder(dimension)

    def timed(what: str, night: int) -> tuple[float, float]:
        file = folder / "shop.csv"
        write_catalog(file, products, night)
        index = open_index(str(folder / "index"))
        started, worked = time.perf_counter(), worked_s()
        if what == "plan":
            preview(open_catalog(file), index, encoder, settings)
        else:
            ingest(open_catalog(file), index, encoder, settings)
        seconds, worked = time.perf_counter() - started, worked_s() - worked
        index.close()
        print(f"{what} of {products:,}: {seconds:.1f} s, {worked:.1f} s CPU", file=sys.stderr)
        return seconds, worked

    private = Private()
    full, planned, night = timed("load", 0), timed("plan", 1), timed("load", 1)
    idle = timed("load", 1)
    peak, peak_child = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    for unit, (full_s, plan_s, night_s, idle_s) in zip(
        ("wall", "CPU"), zip(full, planned, night, idle, strict=True), strict=True
    ):
        print(
            f"{products:>9,} {unit:>5} {full_s:>9.1f} {plan_s:>7.1f} {night_s:>8.1f}"
            f" {night_s / full_s:>8.1%} {idle_s:>8.1f} {peak:>9,.0f} {peak_child:>10,.0f}"
            f" {private.peak:>12,.0f}",
            flush=True,
        )


def worked_s() -> float:
    """Seconds of processor time until now, of this process and of those that it started."""
    spent = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


@click.command()
@click.option("--products", multiple=True, type=int, default=(10_000, 30_000, 100_000))
@click.option("--dimension", type=int, default=512, show_default=True)
@click.option("--one", is_flag=True, hidden=True)
def main(products: tuple[int, ...], dimension: int, one: bool) -> None:
    """Print a line per size."""
    if one:
        with tempfile.TemporaryDirectory() as folder:
            run_one(products[0], dimension, Path(folder))
        return
    print(f"vectors of {dimension} numbers", flush=True)
    print(
        " products           load    plan    night  of load  no news"
        "  peak MiB  child MiB  private MiB",
        flush=True,
    )
    for count in products:  # -P: the folder of this file has an ingest.py, too
        command = [sys.executable, "-P", __file__, "--one", f"--products={count}"]
        subprocess.run([*command, f"--dimension={dimension}"], check=True)


if __name__ == "__main__":
    main()
