"""How often a heat map points at the right one of four products (the pointing game).

    python benchmarks/heat.py --catalog shop.csv --splits splits.csv --model models/shop

Four held-out products of different kinds make one picture of two by two; the query is the phrase of
one of them. "peak": the hottest place lies in its quarter; "quarter": its quarter is the hottest on
average. Guessing has 25 % of both. After Zhang et al. 2016 (Top-down Neural Attention by Excitation
Backprop), section 4.2. Models learn pictures of one product, so these are strange to them.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from goods.catalog import open_catalog
from goods.index import Vector
from goods.pictures import PictureLoader
from goods.product import Product
from model import heat
from model.encoder import Encoder
from model.splits import read_splits

SIDE = 96  # pixels of a quarter


def alone(encoder: Encoder, image: Image.Image, query: Vector) -> NDArray[np.float32]:
    """The other way round: the cosine of each window with nothing but background around it."""
    pixels = np.asarray(image)
    spans = heat._windows(pixels.shape[0])
    pictures = []
    for row in spans:
        for column in spans:
            picture = np.full_like(pixels, 255)
            picture[row, column] = pixels[row, column]
            pictures.append(Image.fromarray(picture))
    return (encoder.images(pictures) @ query).reshape(heat.GRID, heat.GRID)


def quarters(products: Sequence[Product], loader: PictureLoader) -> Image.Image:
    """The pictures of four products in one."""
    image = Image.new("RGB", (2 * SIDE, 2 * SIDE), "white")
    for number, product in enumerate(products):
        one = loader.load(product.picture)
        one.thumbnail((SIDE, SIDE))
        row, column = divmod(number, 2)
        left, top = column * SIDE + (SIDE - one.width) // 2, row * SIDE + (SIDE - one.height) // 2
        image.paste(one, (left, top))
    return image


def rounds(
    products: Sequence[Product], noun: str, count: int
) -> Iterator[tuple[list[Product], int]]:
    """Four products of different kinds, and the place of the one that is asked for."""
    rng = random.Random(0)
    by_kind: dict[object, list[Product]] = {}
    for product in products:
        by_kind.setdefault(product.attributes.get(noun), []).append(product)
    by_kind.pop(None, None)
    kinds = [kind for kind, alike in by_kind.items() if len(alike) >= 8]
    for _ in range(count):
        yield [rng.choice(by_kind[kind]) for kind in rng.sample(kinds, 4)], rng.randrange(4)


def main() -> None:
    """Print a row per kind of map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    catalog, places = open_catalog(given.catalog), read_splits(given.splits)
    phrase = catalog.schema.phrase[-2:]
    held_out = [p for p in catalog.products() if places[p.id].split == "test"]
    encoder = Encoder.load(given.model)
    peaks: Counter[str] = Counter()
    means: Counter[str] = Counter()
    with PictureLoader() as loader:
        for four, place in rounds(held_out, phrase[-1], given.rounds):
            image = quarters(four, loader)
            text = " ".join(str(four[place].attributes.get(name, "")) for name in phrase)
            query = encoder.texts([text])[0]
            for name, found in maps(encoder, image, query):
                row, column = np.unravel_index(found.argmax(), found.shape)
                half = heat.GRID // 2
                peaks[name] += (row >= half) * 2 + (column >= half) == place
                halves = found.reshape(2, half, 2, half).mean(axis=(1, 3))
                means[name] += int(halves.argmax()) == place
    print(f"{given.rounds} pictures of four products; guessing has 25 %")
    print(f"{'map':<28}   peak  quarter")
    for name in means:
        print(f"{name:<28}{peaks[name] / given.rounds:>7.1%}{means[name] / given.rounds:>9.1%}")


def maps(
    encoder: Encoder, image: Image.Image, query: Vector
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Each kind of map, by name."""
    usual = heat.WINDOW
    for window in (1, 2, 3):
        heat.WINDOW = window
        yield f"without a window of {window}", heat.heat_map(encoder, image, query)
        yield f"a window of {window} alone", alone(encoder, image, query)
    heat.WINDOW = usual


if __name__ == "__main__":
    main()
