"""A text query end to end, beside sentence-transformers with the same weights and engine.

    peers/bin/python benchmarks/text_query.py

An untrained model in the shape of ViT-B/32 with a tokenizer of 77 tokens, and an index of random
vectors in a Qdrant Edge folder. Each text of up to six words is asked once by every way, in turns:

goods                    SearchClient with its default: looks and words, total, hits
goods, looks alone       the same with words_weight 0
tower + engine           the encoder and one nearest-neighbour query of the engine: what is
                         needed at least
sentence-transformers    its `encode`, then the same query of the same engine

Where openvino and nncf are installed, ours are asked with `backend="openvino-int8"`, too: its rows
end in int8. The last column says how many times as fast as sentence-transformers a way is.

`ingest.md` says how to make the peers' environment; without sentence-transformers its row is left
out.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # `ingest` is our package, not the script here

from torchvision_on_cpu import declare_torchvision

declare_torchvision()
# ruff: noqa: E402 - transformers looks for torchvision when it is imported

from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from goods.errors import ModelError
from goods.index import Point, VectorIndex, open_index
from goods.index.contract import Contract
from goods.product import point_id
from goods.schema import CatalogSchema, Field, FieldKind
from model.backends import agreement as judging
from model.backends.accelerate import refuse_backend
from model.dual_encoder import DualEncoder
from model.encoder import Encoder
from model.scratch import train_tokenizer
from search import Query, SearchClient, SearchOptions

COLOURS = ("red", "navy blue", "cream", "black", "olive", "striped", "floral", "checked")
KINDS = ("dress", "linen shirt", "running shoes", "handbag", "maxi skirt", "jeans", "watch")
INT8 = "openvino-int8"
PEER = "sentence-transformers"
REST = ("for women", "with long sleeves", "for the office", "in cotton", "for summer evenings")


def texts(count: int) -> list[str]:
    """What shoppers might type; the same for the same count."""
    chance = random.Random(0)
    made = []
    for _ in range(count):
        parts = (chance.choice((*COLOURS, "")), chance.choice(KINDS), chance.choice((*REST, "")))
        made.append(" ".join(filter(None, parts)))
    return made


def checkpoint(folder: Path) -> Encoder:
    """An untrained CLIP, text and picture tower as in ViT-B/32."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(texts(500), vocabulary=2000, longest=77)
    model = CLIPModel(CLIPConfig(projection_dim=512))
    DualEncoder("random ViT-B/32", model, tokenizer, CLIPImageProcessorPil()).save(folder)
    return Encoder.load(str(folder), "cpu")


def fill(index: VectorIndex, encoder: Encoder, products: int) -> None:
    """Random vectors with a title, a colour and a kind."""
    fields = (
        Field("colour", FieldKind.KEYWORD, "colour"),
        Field("kind", FieldKind.KEYWORD, "kind"),
    )
    schema = CatalogSchema(id="id", picture="image", title="title", fields=fields)
    index.create(Contract(encoder.dimension, encoder.name, encoder.stamp, schema))
    chance = np.random.default_rng(0)
    for start in range(0, products, 1000):
        vectors = chance.normal(size=(1000, encoder.dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        index.upsert([_point(start + n, vector) for n, vector in enumerate(vectors)])
    index.seal()


def _point(number: int, vector: np.ndarray) -> Point:
    colour, kind = COLOURS[number % len(COLOURS)], KINDS[number % len(KINDS)]
    payload = {
        "id": str(number),
        "picture": f"https://img.example/{number}.jpg",
        "title": f"{colour} {kind} {number}",
        "colour": colour,
        "kind": kind,
    }
    return Point(point_id(str(number)), vector, payload)


def main() -> None:
    """Print a row per way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=200)
    args = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        encoder, index = checkpoint(folder / "model"), open_index(str(folder / "index"))
        fill(index, encoder, args.products)
        client = SearchClient(index, str(folder / "model"), device="cpu")
        ways = ours(client)
        if has_int8():
            # Untrained weights find nothing, so finding something else is no reason to refuse.
            judging.MIN_RECALL_AT_10 = 0
            fast = SearchClient(
                *(index, str(folder / "model")),
                device="cpu",
                backend=INT8,
                backend_cache=folder / "cache",
            )
            ways |= {f"{way}, int8": ask for way, ask in ours(fast).items()}
            print(f"{fast.encoder.text_backend} {fast.agreement}")
        with suppress(ImportError):
            ways[PEER] = peer(folder / "model", index, encoder)
        timed: dict[str, list[float]] = {way: [] for way in ways}
        for number, text in enumerate(texts(args.queries + 20)):
            for way in list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]:
                time.sleep(0.01)  # threads of torch spin on for a while, and take others' cores
                started = time.perf_counter()
                ways[way](text)
                timed[way].append((time.perf_counter() - started) * 1e3)
        client.close()
    compared = PEER if PEER in timed else "tower + engine"
    theirs = np.median(timed[compared][20:])
    print(f"{args.products:,} products, {args.queries} texts, ms; times as fast as {compared}")
    for way, spent in timed.items():
        p50, p95 = np.percentile(spent[20:], [50, 95])
        print(f"{way:26}{p50:8.2f}{p95:8.2f}{theirs / p50:8.2f}x")


def has_int8() -> bool:
    """Whether the packages that it needs are installed."""
    try:
        refuse_backend(INT8, "cpu")
    except ModelError as error:
        print(error)
        return False
    return True


def ours(client: SearchClient) -> dict[str, Callable[[str], object]]:
    """The whole search, a part of it, and what is needed at least."""
    looks = SearchOptions(words_weight=0)
    return {
        "goods": client.by_text,
        "goods, looks alone": lambda text: client.search(Query(text), options=looks),
        "tower + engine": lambda text: client.index.search(client.encoder.texts([text])[0], 10),
    }


def peer(model: Path, index: VectorIndex, encoder: Encoder) -> Callable[[str], object]:
    """sentence-transformers, checked to make the same vectors."""
    from sentence_transformers import SentenceTransformer

    other = SentenceTransformer(str(model), device="cpu")

    def embed(text: str) -> np.ndarray:
        return other.encode(text, normalize_embeddings=True, show_progress_bar=False)

    cosine = float(embed("red dress") @ encoder.texts(["red dress"])[0])
    if cosine < 0.9999:
        raise SystemExit(f"sentence-transformers makes other vectors: cosine {cosine:.4f}")
    return lambda text: index.search(embed(text), 10)


if __name__ == "__main__":
    main()
