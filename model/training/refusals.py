"""What a training refuses before it has cost anything."""

from collections import Counter
from itertools import islice
from pathlib import Path

from goods.catalog import Catalog
from goods.errors import TrainingError
from goods.product import Product
from goods.schema import CatalogSchema
from model.captions import Captioner, all_facts
from model.disk import refuse_unwritable
from model.dual_encoder import DualEncoder
from model.pairs import Pairs
from model.pixels import FixedPixels
from model.splits import SPLITS, given_places
from model.training.recipe import RECORD
from model.training.settings import TrainSettings
from model.training.state import StateFolder

_EXAMPLES = 3


def refuse_foreign_folder(out: Path) -> None:
    """Never replace a folder that is not a checkpoint of ours.

    Raises:
        TrainingError: It is something else.
    """
    is_free = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    if not is_free and not (out / RECORD).is_file():
        raise TrainingError(f"{out} exists and is no checkpoint of goods; name another folder")


def refuse_to_forget(folder: StateFolder, is_resumed: bool) -> None:
    """Never begin anew where an interrupted training can go on.

    Raises:
        TrainingError: It can.
    """
    if folder.has_state and not is_resumed:
        raise TrainingError(
            f"{folder.path} holds an interrupted training: pass --resume to go on with it, or "
            "delete that folder to start anew"
        )


def refuse_vain_mirror(settings: TrainSettings, towers: DualEncoder) -> None:
    """Refuse to mirror what are no pictures any more.

    Raises:
        TrainingError: The base cuts pictures into patches before they reach it (NaFlex).
    """
    if settings.mirror and not isinstance(towers.preprocessing, FixedPixels):
        raise TrainingError(
            f"{settings.base} takes pictures as patches of any number, which cannot be mirrored; "
            "train it without --mirror"
        )


def refuse_full_disk(towers: DualEncoder, folder: StateFolder) -> None:
    """Make sure that a checkpoint and two states fit: the old one stays until the new is there.

    Raises:
        TrainingError: They do not, or nothing can be written.
    """
    state = weights_bytes(towers) + 2 * _learning_bytes(towers)
    states = state if folder.has_state else 2 * state
    refuse_unwritable(folder.checkpoint, weights_bytes(towers) + states)


def weights_bytes(towers: DualEncoder) -> int:
    """What a checkpoint takes on the disk, about."""
    return sum(weight.nbytes for weight in towers.model.parameters())


def _learning_bytes(towers: DualEncoder) -> int:
    return sum(weight.nbytes for weight in towers.model.parameters() if weight.requires_grad)


def refuse_useless_splits(settings: TrainSettings, catalog: Catalog) -> None:
    """Where splits are given, make sure that they leave products to train on.

    Raises:
        TrainingError: They leave none.
    """
    place_of = given_places(settings.splits, catalog.schema)
    if place_of is None:
        return
    counts = Counter[str | None]()
    first = ""
    for row in islice(catalog.products(), settings.limit):
        if isinstance(row, Product):
            first = first or row.id
            place = place_of(row)
            counts[place.split if place else None] += 1
            if counts["train"]:
                return
    raise TrainingError(_why_none(settings, catalog, counts, first))


def _why_none(
    settings: TrainSettings, catalog: Catalog, counts: Counter[str | None], first: str
) -> str:
    rows = f"the first {settings.limit:,} rows" if settings.limit else "the rows"
    rows = f"{rows} of {catalog.name}"
    where = settings.splits or f"the column '{catalog.schema.split}'"
    if counts.keys() <= {None}:
        return (
            f"{where} has a place for none of {rows}: its ids must be those of the catalog, such "
            f"as '{first}'"
        )
    placed = ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)
    remedy = "raise --limit or " if settings.limit else ""
    return f"by {where} {rows} are {placed} products: none to train on; {remedy}mend the splits"


def refuse_what_teaches_nothing(
    pairs: Pairs, captioner: Captioner, settings: TrainSettings, schema: CatalogSchema
) -> None:
    """Stop where there are too few products, or nothing to tell them apart by.

    Raises:
        TrainingError: It is so.
    """
    if not pairs.products:
        why = "; ".join(pairs.refused[:_EXAMPLES])
        raise TrainingError(
            f"there is nothing to train on: {len(pairs.refused):,} products were refused, none is "
            f"left ({why})"
        )
    _refuse_too_few(pairs, captioner, settings)
    numbers = [number for number in pairs.numbers("train") if captioner.has_any(number)]
    captions = {said.text for number in numbers for said in captioner.draw(number, epoch=1)}
    facts = {tuple(all_facts(pairs.products[number], schema).values()) for number in numbers}
    if len(captions) == 1 or len(facts) == 1:
        raise TrainingError(
            f"all {len(numbers):,} products are called the same, '{min(captions):.60}': there "
            "is nothing to tell apart; name a title or keyword columns in the schema"
        )


def _refuse_too_few(pairs: Pairs, captioner: Captioner, settings: TrainSettings) -> None:
    batch = settings.recipe.batch_size
    train = pairs.numbers("train")
    said = sum(captioner.has_any(number) for number in train)
    if said >= batch:
        return
    others = [f"{len(pairs.numbers(split)):,} held out for {split}" for split in ("val", "test")]
    if silent := len(train) - said:
        others.append(f"{silent:,} without a word to say of them")
    if pairs.refused:
        others.append(f"{len(pairs.refused):,} refused (the first: {pairs.refused[0]})")
    remedy = "raise --limit, " if settings.limit else "bring more products "
    raise TrainingError(
        f"{said:,} products are left to train on, fewer than a batch of {batch}; besides them "
        f"{', '.join(others)}; {remedy}or lower --batch-size"
    )
