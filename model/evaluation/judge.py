"""A checkpoint's scores on the products of a catalog."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from goods.catalog import Catalog
from goods.errors import CatalogError
from goods.pictures import DEFAULT_LIMITS, PictureLimits, PictureLoader
from goods.product import Product
from goods.progress import Told
from model.encoder import Encoder
from model.evaluation.evaluate import ALL, Evaluation, HeldOut, evaluate, hold_out
from model.pairs import PictureStore, load_pairs
from model.splits import FILE_NAME, Place, given_places, read_splits

_PICTURE_BYTES = 4 << 30
_LOOKED_AT = 1000  # products, to see whether splits are of this catalog


def judge(
    encoder: Encoder, catalog: Catalog, split: str = "test", splits: Path | None = None
) -> Evaluation:
    """What the encoder scores on the products of one split of the catalog.

    Args:
        encoder: The model.
        catalog: The products.
        split: "train", "val" or "test", or `ALL`.
        splits: A CSV that assigns products to splits. By default the one that the checkpoint was
            trained with on this catalog; else the catalog's own column; else groups are assigned
            as for training.

    Raises:
        CatalogError: The split has no product with a picture, or the file cannot be read.
    """
    splits = splits or own_splits([encoder.name], catalog)
    held_out = load_held_out(encoder, catalog, split, splits)
    return evaluate(held_out, catalog.schema, encoder)


def splits_of(model: str) -> Path | None:
    """The file that says what a checkpoint was trained on, if its folder has one."""
    own = Path(model) / FILE_NAME
    return own if own.is_file() else None


def own_splits(models: Iterable[str], catalog: Catalog) -> Path | None:
    """The splits of the first of these models that was trained on this catalog.

    It was, where they name a tenth of the catalog's first products: catalogs grow, a base may have
    been trained on another shop's, and short ids come again.
    """
    candidates = list(filter(None, map(splits_of, models)))
    rows = islice(catalog.products(), _LOOKED_AT) if candidates else ()
    first = [row.id for row in rows if isinstance(row, Product)]
    for own in candidates:
        places = read_splits(own)
        if 10 * sum(id_ in places for id_ in first) >= max(1, len(first)):
            return own
    return None


def load_held_out(
    encoder: Encoder,
    catalog: Catalog,
    split: str,
    splits: Path | None,
    progress: Told = lambda *_: None,
    limits: PictureLimits = DEFAULT_LIMITS,
) -> HeldOut:
    """The products of one split of the catalog, embedded; see `judge`.

    Args:
        encoder: The model.
        catalog: The products.
        split: "train", "val" or "test", or `ALL`.
        splits: A CSV that assigns products to splits.
        progress: Told how many pictures have been read, then how many embedded.
        limits: What a picture may cost, and where it may come from.

    Raises:
        CatalogError: As for `judge`.
    """
    place_of = given_places(splits, catalog.schema)
    expected = catalog.count_estimate() if split == ALL or not place_of else None

    def wanted(product: Product) -> Place | None:
        place = place_of(product) if place_of else None
        if split == ALL:
            return place or Place(ALL)
        return place if place and place.split == split else None

    with PictureLoader(limits) as loader:
        store = PictureStore(loader, encoder.preprocessing, _PICTURE_BYTES)
        pairs = load_pairs(
            catalog.products(),
            store,
            wanted if place_of else None,
            lambda done: progress("read pictures", done, expected),
        )
        held_out = hold_out(pairs, split, encoder, progress)
    if not held_out.products:
        which = "" if split == ALL else f"'{split}' "
        raise CatalogError(
            f"{catalog.location} has no {which}product whose picture can be read"
            + (f", by {splits}" if splits and which else "")
        )
    return held_out
