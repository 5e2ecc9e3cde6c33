"""What a model finds, in pictures: the same queries before and after training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from goods.errors import PictureError
from goods.pictures import PictureLoader
from goods.product import Product
from goods.schema import CatalogSchema
from goods.sheet import SheetRow, Tile, contact_sheet
from model.encoder import Encoder
from model.evaluation.evaluate import HeldOut, cosines, fitting_products, phrase_fields

QUERIES = 6
HITS = 6


@dataclass(frozen=True, slots=True)
class Found:
    """The first hits of one query.

    Attributes:
        query: An attribute phrase.
        products: Held-out products, the nearest first.
        is_right: Whether each fits the phrase.
    """

    query: str
    products: Sequence[Product]
    is_right: Sequence[bool]


def find(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> list[Found]:
    """What the encoder finds for a few phrases, the same ones for every encoder."""
    fitting: dict[str, list[int]] = {}
    for fields in phrase_fields(schema):
        fitting |= fitting_products(held_out, fields)
    chosen = list(fitting)[:: max(1, len(fitting) // QUERIES)][:QUERIES]
    if not chosen:
        return []
    hits_QK = np.argsort(-cosines(encoder.texts(chosen), held_out), axis=1)[:, :HITS]
    return [
        Found(
            query,
            [held_out.products[n] for n in hits],
            [n in fitting[query] for n in hits],
        )
        for query, hits in zip(chosen, hits_QK.tolist(), strict=True)
    ]


def before_and_after(
    before: Sequence[Found], after: Sequence[Found], loader: PictureLoader
) -> Image.Image:
    """A contact sheet: under each query what the base finds and what the trained model finds.

    Args:
        before: Of the base; empty where there is none.
        after: Of the trained model.
        loader: Where the pictures come from.
    """
    rows = []
    for number, found in enumerate(after):
        if before:
            rows.append(_row(f"{found.query}: the base", before[number], loader))
        rows.append(_row(f"{found.query}: this model", found, loader))
    return contact_sheet(rows, columns=HITS, tile=128, title="Found among test products")


def _row(heading: str, found: Found, loader: PictureLoader) -> SheetRow:
    tiles = tuple(
        Tile(_image(product, loader), (product.title or product.id,), "right" if right else "wrong")
        for product, right in zip(found.products, found.is_right, strict=True)
    )
    return SheetRow(heading, tiles)


def _image(product: Product, loader: PictureLoader) -> Image.Image | None:
    try:
        return loader.load(product.picture)
    except PictureError:  # the sheet shows that it is missing
        return None
