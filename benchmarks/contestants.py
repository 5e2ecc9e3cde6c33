"""The ways from picture files to vectors in an index that `ingest.py` times.

One process runs one way: it says when it is ready, and after each line on its standard input it
embeds all pictures once, into something new, and says how long that took. Called with the name of a
shape instead, it writes the checkpoint that all of them use.

goods                   this project's worker with its default settings, into a Qdrant Edge folder
goods openvino, int8    the same with --backend openvino, float32 as well, and openvino-int8
plain loop              transformers and PIL, batch after batch, then upserts
sentence-transformers   its `encode`, then upserts
clip-retrieval          its own reader, runner, mapper and writer, into .npy files: it has no index
                        at this stage, so that it is spared one here

The two that upsert do so with qdrant-client in its local mode, which needs no server either; what
that takes is printed.
"""

import csv
import json
import resource
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # `ingest` is our package, not the script here

from torchvision_on_cpu import declare_torchvision

BATCH = 32  # sentence-transformers' default; of 16 to 256 as good as any
NUMBERS = ("price", "rating")


@dataclass(frozen=True, slots=True)
class Row:
    """A product: its picture, and the payload that goes along."""

    picture: Path
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What every way is given.

    Attributes:
        folder: Holds `products.csv`, `images/` and `model/`.
        scratch: A folder of its own, empty in every round.
    """

    folder: Path
    scratch: Path

    @property
    def model(self) -> str:
        """The checkpoint."""
        return str(self.folder / "model")

    def rows(self) -> list[Row]:
        """The catalog, in the order of the pictures' names."""
        with (self.folder / "products.csv").open(encoding="utf-8", newline="") as file:
            rows = [
                Row(self.folder / row["image"], {k: _typed(k, v) for k, v in row.items() if v})
                for row in csv.DictReader(file)
            ]
        return sorted(rows, key=lambda row: row.picture)


def _typed(column: str, cell: str) -> str | float:
    return float(cell) if column in NUMBERS else cell


@dataclass(frozen=True, slots=True)
class Way:
    """One way, ready to run.

    Attributes:
        run: Embeds everything once; gives a note on how it went.
        vectors: What it made in the last round, in the order of the pictures' names.
        lines: What there is to say of its preparation.
    """

    run: Callable[[], str]
    vectors: Callable[[], np.ndarray]
    lines: tuple[str, ...] = ()


def checkpoint(shape: str, folder: Path) -> None:
    """An untrained model in the shape of ViT-B/32, or `scratch:small`."""
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    from model.dual_encoder import DualEncoder
    from model.scratch import build_scratch, train_tokenizer

    if shape == "small":
        build_scratch("scratch:small", ["red dress"], folder)
        return
    torch.manual_seed(0)
    tokenizer = train_tokenizer(["red dress"], vocabulary=600, longest=16)
    model = CLIPModel(CLIPConfig(projection_dim=512))
    DualEncoder("random ViT-B/32", model, tokenizer, CLIPImageProcessorPil()).save(folder)


def goods(job: Job, backend: str) -> Way:
    """This project."""
    from goods.catalog import open_catalog
    from goods.index import open_index
    from ingest.settings import IngestSettings
    from ingest.worker import ingest
    from model.backends.accelerate import accelerate
    from model.backends.sample import sample_pixels
    from model.encoder import Encoder

    catalog = open_catalog(job.folder / "products.csv")
    encoder = Encoder.load(job.model, "cpu")
    sample = sample_pixels(catalog.products() if backend != "torch" else (), encoder)
    chosen = accelerate(encoder, backend, sample, job.scratch.with_suffix(".cache"))

    def run() -> str:
        settings = IngestSettings(job.scratch / "refused.jsonl", job.scratch / "journal.db")
        index = open_index(str(job.scratch / "index"))
        report = ingest(open_catalog(job.folder / "products.csv"), index, chosen.encoder, settings)
        index.close()
        shares = ", ".join(f"{s.stage} {s.share(report.wall_s):.0%}" for s in report.stages)
        return f"waits for {report.bottleneck}; busy: {shares}; batches of {report.batch_size}"

    def vectors() -> np.ndarray:
        index = open_index(str(job.scratch / "index"))
        found = {r.payload["id"]: r.vector for r in index.scan(with_vectors=True)}
        index.close()
        return np.stack([found[key] for key in sorted(found)])

    return Way(run, vectors, (str(chosen.agreement),) if chosen.agreement else ())


class Upserts:
    """A collection of qdrant-client's local mode, and the seconds that writing to it takes."""

    def __init__(self, folder: Path, dimension: int) -> None:
        from qdrant_client import QdrantClient, models

        self._models = models
        self.seconds = 0.0
        self._client = QdrantClient(path=str(folder))
        size = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        self._client.create_collection("products", vectors_config=size)

    def write(self, rows: list[Row], vectors: np.ndarray) -> None:
        """Write a batch."""
        started = time.perf_counter()
        self._client.upsert(
            "products",
            [
                self._models.PointStruct(
                    id=str(uuid.uuid5(uuid.NAMESPACE_URL, row.payload["id"])),
                    vector=vector.tolist(),
                    payload=row.payload,
                )
                for row, vector in zip(rows, vectors, strict=True)
            ],
        )
        self.seconds += time.perf_counter() - started

    def close(self) -> None:
        """Let go of the folder."""
        self._client.close()


def looping(job: Job, dimension: int, embed: Callable[[list[Path]], np.ndarray], size: int) -> Way:
    """Embed some, upsert them, and so on."""
    made: list[np.ndarray] = []

    def run() -> str:
        made.clear()
        rows = job.rows()
        upserts = Upserts(job.scratch / "index", dimension)
        for some in _cut(rows, size):
            made.append(embed([row.picture for row in some]))
            upserts.write(some, made[-1])
        upserts.close()
        return f"upserts took {upserts.seconds:.2f} s"

    return Way(run, lambda: np.concatenate(made))


def plain_loop(job: Job) -> Way:
    """What a tutorial says."""
    from PIL import Image
    from transformers import CLIPImageProcessorPil, CLIPModel

    model = CLIPModel.from_pretrained(job.model).eval()
    processor = CLIPImageProcessorPil.from_pretrained(job.model)

    def embed(pictures: list[Path]) -> np.ndarray:
        images = [Image.open(picture).convert("RGB") for picture in pictures]
        inputs = processor(images=images, return_tensors="pt")
        with torch.inference_mode():
            features = model.get_image_features(**inputs).pooler_output
        return torch.nn.functional.normalize(features, dim=-1).numpy()

    return looping(job, model.config.projection_dim, embed, BATCH)


def sentence_transformers(job: Job) -> Way:
    """Its `encode`, 8 of its batches at a time."""
    declare_torchvision()
    from PIL import Image
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(job.model, device="cpu")

    def embed(pictures: list[Path]) -> np.ndarray:
        images = [Image.open(picture).convert("RGB") for picture in pictures]
        return model.encode(
            images, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
        )

    dimension = embed([job.rows()[0].picture]).shape[1]
    return looping(job, dimension, embed, 8 * BATCH)


def _cut(rows: list[Row], size: int) -> Iterator[list[Row]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def clip_retrieval(job: Job) -> Way:
    """Its runner, with its own reader, mapper and writer."""
    declare_torchvision()
    from clip_retrieval_peer import openai_weights, their_runner

    weights = openai_weights(job.model, job.scratch.with_suffix(".pt"))
    embed = their_runner(weights)

    def run() -> str:
        embed(job.folder / "images", job.scratch)
        return "writes .npy files, no index"

    return Way(run, lambda: np.load(next((job.scratch / "img_emb").glob("*.npy"))))


SHAPES = ("b32", "small")
WAYS: dict[str, Callable[[Job], Way]] = {
    "goods": lambda job: goods(job, "torch"),
    "goods openvino": lambda job: goods(job, "openvino"),
    "goods int8": lambda job: goods(job, "openvino-int8"),
    "plain loop": plain_loop,
    "sentence-transformers": sentence_transformers,
    "clip-retrieval": clip_retrieval,
}


def main() -> None:
    """Prepare the way that is named, and run it whenever a line comes in."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    if name in SHAPES:
        checkpoint(name, folder / "model")
        return
    job = Job(folder, folder / "scratch" / name)
    job.scratch.mkdir(parents=True)
    way = WAYS[name](job)
    print("answer", json.dumps({"lines": way.lines}), flush=True)
    for _ in sys.stdin:
        shutil.rmtree(job.scratch)
        job.scratch.mkdir()
        started, cpu = time.perf_counter(), processor_s()
        note = way.run()
        took = {"seconds": time.perf_counter() - started, "cpu_s": processor_s() - cpu}
        np.save(folder / f"{name}.npy", way.vectors())
        print("answer", json.dumps(took | {"note": note}), flush=True)


def processor_s() -> float:
    """Seconds of the processor that this process and those it has ended took."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in used)


if __name__ == "__main__":
    main()
