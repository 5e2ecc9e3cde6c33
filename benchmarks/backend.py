"""Pictures per second of each backend on this CPU, taken in turns, and how far each agrees.

    python benchmarks/backend.py --catalog data/fashion_products --jpegs 192
    python benchmarks/backend.py --catalog data/fashion_products --model models/shop

Without --model the weights are random, in the shape of ViT-B/32. With --jpegs, photographs of the
catalog are also enlarged to 1080 x 1440, and loaded in threads while others are embedded. Seconds
of the processor stand beside those of the clock: other programs change the one less than the other.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from goods.catalog import open_catalog
from goods.pictures import PictureLoader
from goods.product import Picture, Product
from goods.streams import batches, map_ahead
from model.backends.accelerate import BACKENDS, accelerate
from model.backends.agreement import agreement
from model.backends.sample import sample_pixels
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.scratch import train_tokenizer

THREADS = 4
BATCH = 64


@dataclass(slots=True)
class Times:
    """Seconds of the clock and of the processor for the same work, round after round."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Add what the block takes."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)


def random_b32(folder: Path) -> None:
    """An untrained checkpoint in the shape of openai/clip-vit-base-patch32."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(["red dress"], vocabulary=600, longest=16)
    model = CLIPModel(CLIPConfig(projection_dim=512))
    DualEncoder("random ViT-B/32", model, tokenizer, CLIPImageProcessorPil()).save(folder)


def dynamic_int8(checkpoint: str) -> Encoder:
    """What torch itself offers: weights in int8, activations quantised as they come."""
    encoder = Encoder.load(checkpoint, "cpu")
    engine = torch.ao.quantization
    engine.quantize_dynamic(encoder.towers.model, {torch.nn.Linear}, torch.qint8, inplace=True)
    return encoder


def in_turns(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """What each takes, round after round, after one round that is spent on preparations."""
    times = {name: Times() for name in work}
    for done in work.values():
        done()
    for _ in range(rounds):
        for name, done in work.items():
            with times[name].measured():
                done()
    return times


def show(title: str, pictures: int, times: dict[str, Times]) -> None:
    """Print rates, and ratios to torch of the same rounds."""
    print(f"\n{title}: {pictures} pictures a round, medians of {len(times['torch'].wall_s)} rounds")
    print(f"{'':15}{'pictures/s':>11}{'x torch':>9}{'CPU ms each':>13}{'x torch':>9}")
    cpu = median(times["torch"].cpu_s)
    for name, own in times.items():
        ratio = median(t / o for t, o in zip(times["torch"].wall_s, own.wall_s, strict=True))
        spent = median(own.cpu_s)
        print(
            f"{name:15}{pictures / median(own.wall_s):11.1f}{ratio:9.2f}"
            f"{spent / pictures * 1e3:13.2f}{cpu / spent:9.2f}"
        )


def enlarged(products: list[Product], folder: Path) -> list[Picture]:
    """Their photographs as large as a shop's, 1080 x 1440."""
    pictures = []
    with PictureLoader() as loader:
        for number, product in enumerate(products):
            file = folder / f"{number}.jpg"
            loader.load(product.picture).resize((1080, 1440)).save(file, quality=90)
            pictures.append(Picture(str(file)))
    return pictures


def end_to_end(encoder: Encoder, pictures: list[Picture]) -> None:
    """Load and embed, side by side, as an ingest does."""
    with PictureLoader() as loader, ThreadPoolExecutor(THREADS) as pool:

        def load(picture: Picture) -> torch.Tensor:
            return encoder.pixels([loader.load(picture, at_least=encoder.image_size)])

        for batch in batches(map_ahead(load, pictures, pool, 2 * BATCH), BATCH):
            encoder.embed_pixels(torch.cat(batch))


def main() -> None:
    """Read the options and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--model")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=BATCH)
    parser.add_argument("--jpegs", type=int, default=0)
    args = parser.parse_args()
    with TemporaryDirectory() as scratch:
        if not args.model:
            random_b32(Path(scratch))
        compare(args, args.model or scratch, Path(scratch))


def compare(args: argparse.Namespace, checkpoint: str, scratch: Path) -> None:
    """Export, hold against torch, and time."""
    plain = Encoder.load(checkpoint, "cpu")
    catalog = open_catalog(args.catalog)
    sample = sample_pixels(catalog.products(), plain)
    print(f"{args.model or 'random ViT-B/32'}, {torch.get_num_threads()} threads of torch")
    encoders = {}
    for backend in BACKENDS:
        started = time.perf_counter()
        done = accelerate(plain, backend, sample, scratch / "cache")
        encoders[backend] = done.encoder
        if done.agreement:
            print(f"{backend} {done.agreement}; exported in {time.perf_counter() - started:.0f} s")
    encoders["torch dynamic"] = dynamic_int8(checkpoint)
    held = agreement(plain.embed_pixels, encoders["torch dynamic"].embed_pixels, sample[:256])
    print(f"torch dynamic {held}")
    batch = sample[: args.batch_size]
    work = {name: lambda e=e: e.embed_pixels(batch) for name, e in encoders.items()}
    show("picture tower", len(batch), in_turns(work, args.rounds))
    if args.jpegs:
        products = [row for row in catalog.products() if isinstance(row, Product)][: args.jpegs]
        pictures = enlarged(products, scratch)
        work = {name: lambda e=e: end_to_end(e, pictures) for name, e in encoders.items()}
        show(f"end to end, {THREADS} threads load", len(pictures), in_turns(work, args.rounds))


if __name__ == "__main__":
    main()
