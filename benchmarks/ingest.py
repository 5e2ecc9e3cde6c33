"""Pictures per second from a catalog of files into an index, beside the usual ways to get there.

    python benchmarks/ingest.py --peers peers/bin/python
    python benchmarks/ingest.py --peers peers/bin/python --shape small --size 240x320

Files lie where temporary ones do: with TMPDIR on a memory file system, a disk that others use does
not count.

The pictures are drawn on the spot, enlarged and given grain until their files are as large as
those of photographs. Every way embeds all of them with the same random weights, once per round, the
ways in turns; each is a process of its own that is ready, model loaded and warm, before its clock
starts, and waits while another works. Seconds of the processor stand beside those of the clock:
other programs change them less. `contestants.py` holds the ways; `ingest.md` says how to make
the peers' environment.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from PIL import Image

from goods.sample import write_sample
from model.backends.agreement import recall_at

OURS = ("goods", "goods openvino", "goods int8")
PEERS = ("plain loop", "sentence-transformers", "clip-retrieval")
CONTESTANTS = Path(__file__).with_name("contestants.py")
_DRAWN_PX = 192


@dataclass(frozen=True, slots=True)
class Photograph:
    """What a picture is made to look like: its size, and the grain that gives its file weight."""

    width: int
    height: int
    quality: int = 88

    @classmethod
    def of(cls, text: str) -> Self:
        """The size that `1080x1440` means."""
        width, _, height = text.partition("x")
        return cls(int(width), int(height))

    def take(self, file: Path) -> int:
        """Replace a drawing by a photograph of it; the bytes of its file."""
        rng = np.random.default_rng(int.from_bytes(file.stem.encode()[-6:], "big"))
        with Image.open(file) as drawing:
            left = round(_DRAWN_PX * (1 - self.width / self.height) / 2)
            upright = drawing.convert("RGB").crop((left, 0, _DRAWN_PX - left, _DRAWN_PX))
        large = upright.resize((self.width, self.height), Image.Resampling.BICUBIC)
        levels = np.asarray(large, np.float32)
        grain = rng.normal(0, 1, (self.height, self.width, 1)).astype(np.float32)
        shades = rng.normal(0, 1, (self.height // 24 + 1, self.width // 24 + 1)).astype(np.float32)
        cloth = np.asarray(Image.fromarray(shades).resize(large.size, Image.Resampling.BICUBIC))
        noisy = levels + 3.5 * grain + 4 * cloth[..., None]
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, quality=self.quality)
        return file.stat().st_size


class Contestant:
    """One way, in a process of its own that works when it is told to."""

    def __init__(self, python: str, way: str, folder: Path) -> None:
        self.name = way
        self.rounds: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [python, str(CONTESTANTS), way, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ({"OMP_WAIT_POLICY": "PASSIVE"} if way in OURS else {}),  # as `goods`
        )
        self.ready = self._answer()

    def run(self) -> None:
        """Embed all pictures once."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        self.rounds.append(self._answer())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        for line in self._process.stdout:  # libraries print, too
            if line.startswith("answer "):
                answer: dict[str, Any] = json.loads(line.removeprefix("answer "))
                return answer
        raise SystemExit(f"{self.name} ended early")


def main() -> None:
    """Read the options, draw, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=("b32", "small"), default="b32")
    parser.add_argument("--size", type=Photograph.of, default=Photograph(1080, 1440))
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", help="Python of an environment with the peers; else they rest")
    parser.add_argument("--ways", nargs="*", default=(*OURS, *PEERS))
    args = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table = write_sample(folder, args.pictures, size=_DRAWN_PX)
        with ProcessPoolExecutor() as pool:
            sizes = list(pool.map(partial(Photograph.take, args.size), sorted(files(table))))
        print(
            f"{args.shape}, {len(sizes)} JPEGs of {args.size.width} x {args.size.height}, "
            f"{min(sizes) / 1e3:.0f} to {max(sizes) / 1e3:.0f} kB, mean {np.mean(sizes) / 1e3:.0f}",
            flush=True,
        )
        write_checkpoint(args.shape, folder)
        compete(args, folder)


def files(table: Path) -> Iterator[Path]:
    """The pictures of a sample."""
    return (table.parent / "images").glob("*.jpg")


def write_checkpoint(shape: str, folder: Path) -> None:
    """Random weights, made in a process of its own: this one has to stay small and idle."""
    subprocess.run([sys.executable, str(CONTESTANTS), shape, str(folder)], check=True)


def compete(args: argparse.Namespace, folder: Path) -> None:
    """All ways in turns, after one round each that is not counted."""
    ways = [way for way in args.ways if args.peers or way not in PEERS[1:]]
    contestants = [
        Contestant(args.peers if way in PEERS[1:] else sys.executable, way, folder) for way in ways
    ]
    for contestant in contestants:
        for line in contestant.ready["lines"]:
            print(f"{contestant.name}: {line}", flush=True)
        contestant.run()
        contestant.rounds.clear()
    for _ in range(args.rounds):
        for contestant in contestants:
            contestant.run()
    for contestant in contestants:
        contestant.close()
    show(args.pictures, contestants, folder)


def show(pictures: int, contestants: list[Contestant], folder: Path) -> None:
    """Print rates with their spread, ratios of the same rounds, and how far vectors agree."""
    peers = [c for c in contestants if c.name in PEERS]
    is_comparable = "plain loop" in [c.name for c in peers]
    columns = ("pictures/s", "least", "most", "x best peer", "CPU ms each", "recall@10")
    print(f"\n{'':22}" + "".join(f"{column:>12}" for column in columns))
    for contestant in contestants:
        rates = [pictures / r["seconds"] for r in contestant.rounds]
        spent = median(r["cpu_s"] for r in contestant.rounds) / pictures
        ratio = median_ratio(contestant, peers)
        agree = agreement(folder, contestant.name) if is_comparable else ""
        print(
            f"{contestant.name:22}{median(rates):12.1f}{min(rates):12.1f}{max(rates):12.1f}"
            f"{ratio:12.2f}{spent * 1e3:12.1f}{agree:>12}"
        )
    for contestant in contestants:
        print(f"{contestant.name}: {contestant.rounds[-1]['note']}")


def agreement(folder: Path, way: str) -> str:
    """Part of each picture's ten nearest that are those of the plain loop's vectors."""
    return f"{recall_at(10, vectors(folder, 'plain loop'), vectors(folder, way)):.3f}"


def median_ratio(contestant: Contestant, peers: list[Contestant]) -> float:
    """How many times as fast as the fastest peer, in the same rounds."""
    if not peers:
        return float("nan")
    best = min(peers, key=lambda peer: median(r["seconds"] for r in peer.rounds))
    return median(
        theirs["seconds"] / own["seconds"]
        for own, theirs in zip(contestant.rounds, best.rounds, strict=True)
    )


def vectors(folder: Path, way: str) -> np.ndarray:
    """What a way made of the pictures, in the order of their names; unit vectors."""
    rows = np.load(folder / f"{way}.npy").astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
