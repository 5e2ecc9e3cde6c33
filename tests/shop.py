"""A small shop for tests: plain pictures, each of its own colours, and a CSV."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"Red": (200, 30, 30), "Green": (30, 160, 60), "Blue": (30, 60, 200)}
CATEGORIES = ("Shirt", "Dress", "Shoe", "Bag")


def make_shop(folder: Path, count: int = 40, first: int = 0) -> Path:
    """Write `products.csv` and `images/` into the folder; the path of the CSV.

    Every product has a picture of its own: a noisy field of its colour.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = [row(number) for number in range(first, first + count)]
    for number, product in zip(range(first, first + count), rows, strict=True):
        picture(number).save(folder / product["image"], quality=90)
    write_rows(folder / "products.csv", rows)
    return folder / "products.csv"


def row(number: int) -> dict[str, str]:
    """One row of the catalog."""
    colour = list(COLOURS)[number % 3]
    category = CATEGORIES[number % 4]
    return {
        "id": f"P-{number}",
        "image": f"images/P-{number}.jpg",
        "title": f"{colour} {category} number {number}",
        "category": category,
        "colour": colour,
        "price": f"{10 + number % 50}.50",
        "in_stock": "true" if number % 3 else "false",
    }


def picture(number: int) -> Image.Image:
    """A picture that no other product has."""
    base = np.array(list(COLOURS.values())[number % 3])
    noise = np.random.default_rng(number).integers(-30, 30, (48, 36, 3))
    return Image.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8))


def write_rows(file: Path, rows: list[dict[str, str]]) -> None:
    """Write the rows as CSV."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_rows(file: Path) -> list[dict[str, str]]:
    """Read the rows of a CSV."""
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
