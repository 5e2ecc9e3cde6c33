"""A checkpoint's scores on the held-out products of a catalog."""

from pathlib import Path

from goods.catalog import Catalog
from goods.errors import CatalogError
from goods.pictures import PictureLoader
from goods.product import Product
from model.encoder import Encoder
from model.evaluation.evaluate import Evaluation, evaluate, hold_out
from model.pairs import PictureStore, load_pairs
from model.splits import FILE_NAME, Place, given_places

_PICTURE_BYTES = 4 << 30


def judge(
    encoder: Encoder, catalog: Catalog, split: str = "test", splits: Path | None = None
) -> Evaluation:
    """What the encoder scores on the products of one split of the catalog.

    Args:
        encoder: The model.
        catalog: The products.
        split: "train", "val" or "test".
        splits: A CSV that assigns products to splits. By default the one that the checkpoint was
            trained with; else the catalog's own column; else groups are assigned as for training.

    Raises:
        CatalogError: The split has no product with a picture, or the file cannot be read.
    """
    own = Path(encoder.name) / FILE_NAME
    place_of = given_places(splits or (own if own.is_file() else None), catalog.schema)

    def wanted(product: Product) -> Place | None:
        place = place_of(product) if place_of else None
        return place if place and place.split == split else None

    with PictureLoader() as loader:
        store = PictureStore(loader, encoder.preprocessing, _PICTURE_BYTES)
        pairs = load_pairs(catalog.products(), store, wanted if place_of else None)
        held_out = hold_out(pairs, split, encoder)
    if not held_out.products:
        raise CatalogError(f"{catalog.path} has no '{split}' product whose picture can be read")
    return evaluate(held_out, catalog.schema, encoder)
