"""What a model finds, in pictures: the same queries before and after training."""

from collections.abc import Sequence

from PIL import Image

from goods.errors import PictureError
from goods.pictures import PictureLoader
from goods.product import Product
from goods.schema import CatalogSchema
from goods.sheet import SheetRow, Tile, contact_sheet
from model.encoder import Encoder
from model.evaluation.catalog_tasks import attribute_task, phrase_fields
from model.evaluation.evaluate import HeldOut
from model.evaluation.results import QueryHits
from model.evaluation.search import nearest
from model.evaluation.shown import shown_hits

SHEET = "before-and-after.png"

QUERIES = 8
HITS = 6


def find(held_out: HeldOut, schema: CatalogSchema, encoder: Encoder) -> list[QueryHits]:
    """What the encoder finds for a few phrases, the same ones for every encoder."""
    tasks = [attribute_task(held_out.corpus, fields) for fields in phrase_fields(schema)]
    asked = {query.name: query for task in tasks if task for query in task.queries}
    # A noun alone is too easy to tell models apart.
    asked = {name: query for name, query in asked.items() if len(query.slices) > 1} or asked
    chosen = list(asked.values())[:: max(1, -(-len(asked) // QUERIES))]
    if not chosen:
        return []
    text_QD = encoder.texts([query.name for query in chosen])
    found = nearest(text_QD, held_out.vectors, chosen, depth=HITS)
    return shown_hits(chosen, found, held_out.products, range(len(chosen)))


def before_and_after(
    before: Sequence[QueryHits], after: Sequence[QueryHits], loader: PictureLoader
) -> Image.Image:
    """A contact sheet: under each query what the base finds and what the trained model finds.

    Args:
        before: Of the base; empty where there is none.
        after: Of the trained model.
        loader: Where the pictures come from.
    """
    base_of = {found.query: found for found in before}
    rows = []
    for found in after:
        if base := base_of.get(found.query):
            rows.append(_row("the base", base, loader))
        rows.append(_row("this model", found, loader))
    right = "ticked: right, crossed: wrong"
    return contact_sheet(rows, columns=HITS, tile=144, title=f"Found among test products; {right}")


def _row(model: str, found: QueryHits, loader: PictureLoader) -> SheetRow:
    right = sum(hit.is_right for hit in found.hits)
    tiles = tuple(
        Tile(
            _image(hit.product, loader),
            (hit.product.title or hit.product.id,),
            "right" if hit.is_right else "wrong",
        )
        for hit in found.hits
    )
    return SheetRow(f"{found.query} - {model}: {right} of {len(found.hits)} right", tiles)


def _image(product: Product, loader: PictureLoader) -> Image.Image | None:
    try:
        return loader.load(product.picture)
    except PictureError:  # the sheet shows that it is missing
        return None
