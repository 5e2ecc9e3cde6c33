"""Training steps beside open_clip's: the same architecture, batch, pictures and captions.

    python benchmarks/train.py --catalog shop.parquet --shape small --batch-size 64

Both start from random weights, in turns of a few steps; the median of the turns' ratios counts.
open_clip gets finished pixels and tokens from memory; our step also draws captions, tokenizes and
normalises. Needs an environment of its own: beside what the project needs
`pip install --no-deps open_clip_torch timm ftfy wcwidth torchvision`.

On CUDA it also prints how many pairs/s one GPU learns in bfloat16 when nothing but the step itself
is done, and which share that is of the roofline. That part has never been run.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from open_clip_peer import ClipLoss, clip_tokenizer, their_batches, their_model, their_step
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from goods.catalog import Catalog, open_catalog
from goods.pictures import PictureLoader
from goods.product import Product
from model.captions import Captioner
from model.checkpoint import load_checkpoint
from model.dual_encoder import DualEncoder
from model.encoder import choose_device
from model.pairs import Pairs, PictureStore, load_pairs
from model.scratch import build_scratch
from model.training import gradients
from model.training.compute import Compute
from model.training.fit import Fit
from model.training.loss import contrastive_loss
from model.training.optimiser import optimiser
from model.training.ranks import Ranks
from model.training.recipe import recipe_for

GFLOPS_OF_B32 = 8.8 + 1.2  # a picture, and a text of 16 tokens; three times that to learn them
PEAK_TFLOPS = 790  # of bf16 matrix products on the GPU that the aim is set for

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--catalog", required=True)
parser.add_argument("--limit", type=int, default=4_000)
parser.add_argument("--shape", choices=["small", "b32"], default="small")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--turns", type=int, default=9)
parser.add_argument("--steps", type=int, default=4, help="Of each, in a turn.")
parser.add_argument("--device", default="auto")


def our_towers(shape: str, captions: Sequence[str]) -> DualEncoder:
    """A CLIP of this shape with random weights."""
    if shape == "small":
        with tempfile.TemporaryDirectory() as folder:
            return load_checkpoint(str(build_scratch("scratch:small", captions, Path(folder))))
    tokenizer = clip_tokenizer()
    torch.manual_seed(0)
    config = CLIPConfig()  # its defaults are ViT-B/32's
    for part in (config.text_config, config):
        part.eos_token_id = tokenizer.eos_token_id
    return DualEncoder("b32", CLIPModel(config), tokenizer, CLIPImageProcessorPil())


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def endless(fit: Fit) -> Iterator[object]:
    """The steps of a training that never ends."""
    while True:
        yield from fit.epoch(1)


def our_fit(towers: DualEncoder, pairs: Pairs, catalog: Catalog, recipe: str, size: int) -> Fit:
    """Our training of such towers."""
    how = replace(recipe_for("scratch:small", recipe), batch_size=size, epochs=1000)
    phrase = catalog.schema.phrase
    captioner = Captioner(pairs.products, catalog.schema, 0, how.captions)
    precision = torch.bfloat16 if towers.device.type == "cuda" else None
    return Fit(towers, pairs, captioner, how, phrase, 0, Compute(precision))


def where_time_goes(fit: Fit, steps: int, device: torch.device) -> dict[str, float]:
    """Seconds per step of our training, by what they are spent on."""
    spent: dict[str, float] = defaultdict(float)

    def watched(function: Callable[..., object], name_of: Callable[..., str]) -> Callable:
        def run(*args: object) -> object:
            result: list[object] = []
            seconds = timed(lambda: result.append(function(*args)), device)
            spent[name_of(*args)] += seconds
            return result[0]

        return run

    seen: list[int] = []

    def side(*_: object) -> str:  # pictures and texts take turns, forward and then backward
        seen.append(0)
        return ("pictures", "texts")[(len(seen) - 1) % 2]

    forward, send_back = gradients._vectors, gradients._send_back
    gradients._vectors = watched(forward, side)
    gradients._send_back = watched(send_back, side)
    fit._step = watched(fit._step, lambda *_: "optimiser")
    total = timed(lambda: list(islice(fit.epoch(1), steps)), device)
    gradients._vectors, gradients._send_back = forward, send_back
    spent["all else"] = total - sum(spent.values())
    return {name: seconds / steps for name, seconds in spent.items()}


def device_only(towers: DualEncoder, size: int, steps: int = 30) -> float:
    """Pairs/s of steps on a batch that is on the GPU already."""
    height = towers.preprocessing.resize
    pixels = torch.randint(0, 256, (size, height, height, 3), dtype=torch.uint8).cuda()
    tokens = torch.randint(0, 40_000, (size, 16)).cuda()
    tokens[:, -1] = towers.tokenizer.eos_token_id
    adam = optimiser(towers, recipe_for("scratch:small"))
    true = torch.eye(size, dtype=torch.bool).cuda()

    def embedded(embed: Callable[[torch.Tensor], torch.Tensor], what: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cuda", torch.bfloat16):
            return embed(what)

    sides = [
        gradients.Side([partial(embedded, towers.embed_pixels, pixels)], size),
        gradients.Side([partial(embedded, towers.embed_tokens, tokens)], size),
    ]

    def step() -> None:
        adam.zero_grad()
        gradients.backward(sides, lambda a, b: contrastive_loss(towers.logits(a, b), true), Ranks())
        torch.nn.utils.clip_grad_norm_(towers.model.parameters(), 1.0)
        adam.step()

    for _ in range(5):
        step()
    return size * steps / timed(lambda: [step() for _ in range(steps)], torch.device("cuda"))


def check_loss() -> None:
    """Stop unless our loss is open_clip's on distinct captions."""
    rng = torch.Generator().manual_seed(0)
    for rows in (2, 64, 500):
        image, text = (
            torch.nn.functional.normalize(torch.randn(rows, 32, generator=rng), dim=-1)
            for _ in range(2)
        )
        theirs = ClipLoss()(image, text, torch.tensor(20.0)).item()
        ours = contrastive_loss(20.0 * image @ text.T).item()
        if not math.isclose(ours, theirs, rel_tol=1e-5):
            raise SystemExit(f"the loss of {rows} pairs is {ours}, by open_clip {theirs}")
    print("loss: equal to open_clip's to 1e-5")


def main() -> None:
    """Measure."""
    args = parser.parse_args()
    check_loss()
    device, catalog, size = choose_device(args.device), open_catalog(args.catalog), args.batch_size
    rows = [row for row in islice(catalog.products(), args.limit) if isinstance(row, Product)]
    towers = {"plain": our_towers(args.shape, [row.title for row in rows])}
    model = their_model(args.shape, towers["plain"])
    counts = [sum(w.numel() for w in m.parameters()) for m in (towers["plain"].model, model)]
    print(f"weights: {counts[0]:,} ours, {counts[1]:,} theirs")
    towers["default"] = our_towers(args.shape, [row.title for row in rows])
    with PictureLoader() as loader:
        pairs = load_pairs(rows, PictureStore(loader, towers["plain"].preprocessing, 8 << 30))
        batches = their_batches(pairs, towers["plain"], size)
        for encoder in towers.values():
            encoder.to(device)
        fits = {name: our_fit(towers[name], pairs, catalog, name, size) for name in towers}
        runs = {name: endless(fit) for name, fit in fits.items()}
        step = their_step(model, device)
        works: dict[str, Callable[[], object]] = {
            name: partial(lambda run: list(islice(run, args.steps)), run)
            for name, run in runs.items()
        }
        works["open_clip"] = lambda: [step(*batches[n % 4]) for n in range(args.steps)]
        for work in works.values():  # allocations and look-ahead
            work()
        turns = [
            {name: timed(work, device) for name, work in works.items()} for _ in range(args.turns)
        ]
        for name in works:
            speeds = sorted(args.steps * size / turn[name] for turn in turns)
            ratios = sorted(turn["open_clip"] / turn[name] for turn in turns)
            print(
                f"{name:>9}: {statistics.median(speeds):8,.1f} pairs/s, "
                f"{statistics.median(ratios):.2f} x open_clip ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            )
        for name, run in runs.items():
            run.close()
            spent = where_time_goes(fits[name], 2 * args.steps, device)
            shares = (f"{part} {s / sum(spent.values()):.0%}" for part, s in spent.items())
            print(f"{name:>9}: {', '.join(shares)}")
    if device.type == "cuda" and args.shape == "b32":
        pairs_per_s = device_only(towers["plain"], size)
        roofline = 1000 * PEAK_TFLOPS / (3 * GFLOPS_OF_B32)
        print(
            f"step alone: {pairs_per_s:,.0f} pairs/s, {pairs_per_s / roofline:.0%} of the roofline"
        )


main()
