"""What a training refuses before it has cost anything."""

from pathlib import Path

from goods.errors import TrainingError
from model.captions import Captioner
from model.pairs import Pairs
from model.training.recipe import Recipe
from model.training.report import RECORD


def refuse_foreign_folder(out: Path) -> None:
    """Never replace a folder that is not a checkpoint of ours.

    Raises:
        TrainingError: It is something else.
    """
    is_free = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    if not is_free and not (out / RECORD).is_file():
        raise TrainingError(f"{out} exists and is no checkpoint of goods; name another folder")


def refuse_what_teaches_nothing(pairs: Pairs, captioner: Captioner, recipe: Recipe) -> None:
    """Stop where there are too few products, or nothing to tell them apart by.

    Raises:
        TrainingError: It is so.
    """
    if not pairs.products:
        first = f"; the first: {pairs.refused[0]}" if pairs.refused else ""
        raise TrainingError(
            "there is no product with a picture to train on: "
            f"{len(pairs.refused):,} were refused{first}"
        )
    numbers = [number for number in pairs.numbers("train") if captioner.has_any(number)]
    if len(numbers) < recipe.batch_size:
        raise TrainingError(
            f"{len(numbers):,} products with picture and caption are left to train on, fewer than "
            f"a batch of {recipe.batch_size}; bring more products or lower --batch-size"
        )
    captions = {said.text for number in numbers for said in captioner.draw(number, epoch=1)}
    if len(captions) == 1:
        raise TrainingError(
            f"all {len(numbers):,} products have the same caption, '{captions.pop():.60}': there "
            "is nothing to tell apart; name a title or keyword columns in the schema"
        )
