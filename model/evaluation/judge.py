"""A checkpoint's scores on the products of a catalog."""

from collections.abc import Callable
from pathlib import Path

from goods.catalog import Catalog
from goods.errors import CatalogError
from goods.pictures import PictureLoader
from goods.product import Product
from model.encoder import Encoder
from model.evaluation.evaluate import ALL, Evaluation, HeldOut, evaluate, hold_out
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
        split: "train", "val" or "test", or `ALL`.
        splits: A CSV that assigns products to splits. By default the one that the checkpoint was
            trained with; else the catalog's own column; else groups are assigned as for training.

    Raises:
        CatalogError: The split has no product with a picture, or the file cannot be read.
    """
    held_out = load_held_out(encoder, catalog, split, splits or own_splits(encoder.name))
    return evaluate(held_out, catalog.schema, encoder)


def own_splits(model: str) -> Path | None:
    """The file that says what a checkpoint was trained on, if its folder has one."""
    own = Path(model) / FILE_NAME
    return own if own.is_file() else None


def load_held_out(
    encoder: Encoder,
    catalog: Catalog,
    split: str,
    splits: Path | None,
    progress: Callable[[int], None] = lambda _: None,
) -> HeldOut:
    """The products of one split of the catalog, embedded; see `judge`.

    Args:
        encoder: The model.
        catalog: The products.
        split: "train", "val" or "test", or `ALL`.
        splits: A CSV that assigns products to splits.
        progress: Told how many products' pictures have been read.
    """
    place_of = given_places(splits, catalog.schema)

    def wanted(product: Product) -> Place | None:
        place = place_of(product) if place_of else None
        if split == ALL:
            return place or Place(ALL)
        return place if place and place.split == split else None

    with PictureLoader() as loader:
        store = PictureStore(loader, encoder.preprocessing, _PICTURE_BYTES)
        pairs = load_pairs(catalog.products(), store, wanted if place_of else None, progress)
        held_out = hold_out(pairs, split, encoder)
    if not held_out.products:
        which = "" if split == ALL else f"'{split}' "
        raise CatalogError(f"{catalog.path} has no {which}product whose picture can be read")
    return held_out
