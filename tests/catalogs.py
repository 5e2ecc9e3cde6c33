"""Catalog files for tests, and what comes out of them."""

import json
from collections.abc import Mapping
from pathlib import Path

from goods.catalog import Catalog, RefusedRow, open_catalog
from goods.product import Product

HEADER = "id,image,colour,price,title\n"
SHIRT = "83-A,images/83.jpg,red,39.90,Linen shirt\n"
DRESS = "84-B,images/84.jpg,blue,120,Silk dress\n"
GOOD = 200


def good_rows(count: int = GOOD) -> str:
    """So many rows that the kinds of the columns are clear."""
    return "".join(f"p{n},images/{n}.jpg,red,{n}.50,Shirt number {n}\n" for n in range(count))


def catalog_of(folder: Path, text: str | bytes, name: str = "products.csv") -> Catalog:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_catalog(file)


def json_lines(*rows: Mapping[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def products(catalog: Catalog) -> list[Product]:
    found = list(catalog.products())
    assert not [row for row in found if isinstance(row, RefusedRow)]
    return [row for row in found if isinstance(row, Product)]


def refused(catalog: Catalog) -> list[RefusedRow]:
    return [row for row in catalog.products() if isinstance(row, RefusedRow)]
