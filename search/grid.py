"""Hits as a contact sheet, because people look at pictures."""

from collections.abc import Callable, Sequence

from PIL import Image

from goods.errors import PictureError
from goods.pictures import DEFAULT_LIMITS, PictureLimits, PictureLoader
from goods.sheet import SheetRow, Tile, contact_sheet
from search.answer import Answer, Hit


def grid(
    answers: Sequence[tuple[str, Answer]],
    *,
    columns: int = 5,
    title: str = "",
    limits: PictureLimits = DEFAULT_LIMITS,
    paint: Callable[[Image.Image], Image.Image] | None = None,
) -> Image.Image:
    """One row of pictures per (heading, answer), each hit with its score and title.

    Args:
        answers: Headings and what stands below them.
        columns: Pictures side by side.
        title: Stands above all.
        limits: What a picture may cost, and where it may come from.
        paint: Makes of each picture what is shown.
    """
    with PictureLoader(limits) as loader:
        rows = [
            SheetRow(heading, tuple(_tile(hit, loader, paint) for hit in answer.hits))
            for heading, answer in answers
        ]
    return contact_sheet(rows, columns=columns, title=title)


def _tile(
    hit: Hit, loader: PictureLoader, paint: Callable[[Image.Image], Image.Image] | None
) -> Tile:
    image: Image.Image | None
    try:
        image = loader.load(hit.product.picture)
        image = paint(image) if paint else image
    except PictureError:  # the sheet shows that it is missing
        image = None
    return Tile(image, (hit.product.title or hit.product.id, f"{hit.score:.3f}"))
