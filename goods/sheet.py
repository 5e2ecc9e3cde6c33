"""Contact sheets: pictures in rows under headings, each with a few lines of text and a verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, ImageOps

from goods.errors import GoodsError
from goods.lettering import font, leading, wrapped

Mark = Literal["right", "wrong"]

_PAPER = "#ffffff"
_INK = "#1c2024"
_FAINT = "#6b7278"
_PANEL = "#f3f4f5"
_EDGE = "#d9dcdf"
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_MARKS: dict[Mark, str] = {"right": "#1f9254", "wrong": "#cc3340"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a sheet.

    Attributes:
        image: The picture, in any mode; None shows a placeholder.
        lines: The text below it, the first in full ink; long lines wrap once, then end in "…".
        mark: Frames it in green or red.
    """

    image: Image.Image | None
    lines: tuple[str, ...]
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class SheetRow:
    """Pictures that belong together, such as the answers to one query."""

    heading: str
    tiles: tuple[Tile, ...]


def contact_sheet(
    rows: Sequence[SheetRow], columns: int = 5, tile: int = 192, title: str = ""
) -> Image.Image:
    """The sheet, RGB: under each heading its tiles, `columns` abreast, `tile` pixels square.

    Pictures keep their proportions; rows with more tiles than columns go on below.
    """
    if columns < 1 or tile < 16:
        raise ValueError(f"a sheet needs a column and 16-pixel tiles, not {columns} and {tile}")
    page = _Page(columns, tile)
    blocks = list(page.blocks(rows, title))
    height = sum(block.height for block in blocks) + 2 * page.margin
    sheet = Image.new("RGB", (page.width, height), _PAPER)
    top = page.margin
    for block in blocks:
        page.draw(block, sheet, top)
        top += block.height
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a sheet in the format that the path's suffix names.

    Raises:
        GoodsError: The suffix is not one that sheets are saved in, or the file cannot be written.
    """
    check_place(path)
    try:
        sheet.save(path)
    except (OSError, ValueError) as error:  # ValueError: larger than the format can be
        raise GoodsError(f"{path}: the sheet cannot be written: {error}") from error


def check_place(path: Path) -> None:
    """Refuse a path that no sheet can be saved at, before there is one to save.

    Raises:
        GoodsError: The suffix is not one that sheets are saved in, or there is no such folder.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise GoodsError(f"{path}: end the name of a sheet in one of {', '.join(_SUFFIXES)}")
    if not path.parent.is_dir():
        raise GoodsError(f"{path}: the sheet cannot be written: there is no folder {path.parent}")


@dataclass(frozen=True, slots=True)
class _Text:
    """Lines across the page, ready to draw."""

    lines: tuple[str, ...]
    face: ImageFont.FreeTypeFont
    height: int
    colour: str


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Tiles side by side, each with its wrapped text."""

    tiles: tuple[Tile, ...]
    captions: tuple[tuple[tuple[str, str], ...], ...]  # per tile: text and its colour
    height: int


class _Page:
    """The measures and fonts of one sheet; all follow from the size of a tile."""

    def __init__(self, columns: int, tile: int) -> None:
        self.columns, self.tile = columns, tile
        self.margin, self.gap = max(8, tile // 8), max(4, tile // 14)
        self.width = columns * tile + (columns - 1) * self.gap + 2 * self.margin
        self.title_font = font(max(14, tile // 8))
        self.heading_font = font(max(12, tile // 11))
        self.caption_font = font(max(10, tile // 15))

    def blocks(self, rows: Sequence[SheetRow], title: str) -> Iterator[_Text | _Shelf]:
        """What stands on the page, from top to bottom."""
        if title:
            yield self._text(title, self.title_font, _INK)
        for row in rows:
            if row.heading:
                yield self._text(row.heading, self.heading_font, _INK)
            if not row.tiles:
                yield self._text("nothing to show", self.caption_font, _FAINT)
            for start in range(0, len(row.tiles), self.columns):
                yield self._shelf(row.tiles[start : start + self.columns])

    def _text(self, text: str, face: ImageFont.FreeTypeFont, colour: str) -> _Text:
        lines = tuple(wrapped(text, face, self.width - 2 * self.margin))
        return _Text(lines, face, len(lines) * leading(face) + self.gap, colour)

    def _shelf(self, tiles: tuple[Tile, ...]) -> _Shelf:
        captions = tuple(
            tuple(
                (piece, _FAINT if number else _INK)
                for number, line in enumerate(tile.lines)
                for piece in wrapped(line, self.caption_font, self.tile)
            )
            for tile in tiles
        )
        rows = max(len(caption) for caption in captions)
        height = self.tile + self.gap // 2 + rows * leading(self.caption_font) + self.gap
        return _Shelf(tiles, captions, height)

    def draw(self, block: _Text | _Shelf, sheet: Image.Image, top: int) -> None:
        """Draw one block with its upper edge at `top`."""
        if isinstance(block, _Text):
            for number, line in enumerate(block.lines):
                place = (self.margin, top + number * leading(block.face))
                ImageDraw.Draw(sheet).text(place, line, block.colour, block.face)
            return
        for column, (tile, caption) in enumerate(zip(block.tiles, block.captions, strict=True)):
            left = self.margin + column * (self.tile + self.gap)
            self._draw_tile(tile, sheet, left, top)
            below = top + self.tile + self.gap // 2
            for number, (line, colour) in enumerate(caption):
                place = (left, below + number * leading(self.caption_font))
                ImageDraw.Draw(sheet).text(place, line, colour, self.caption_font)

    def _draw_tile(self, tile: Tile, sheet: Image.Image, left: int, top: int) -> None:
        """Draw the picture in its panel, with its frame."""
        draw = ImageDraw.Draw(sheet)
        right, bottom = left + self.tile - 1, top + self.tile - 1
        draw.rectangle((left, top, right, bottom), fill=_PANEL)
        if tile.image is None:
            middle = ((left + right) / 2, (top + bottom) / 2)
            draw.text(middle, "no picture", _FAINT, self.caption_font, anchor="mm")
        else:
            picture = ImageOps.contain(_on_white(tile.image), (self.tile, self.tile))
            inset = ((self.tile - picture.width) // 2, (self.tile - picture.height) // 2)
            sheet.paste(picture, (left + inset[0], top + inset[1]))
        if tile.mark is None:
            draw.rectangle((left, top, right, bottom), outline=_EDGE)
            return
        colour, width = _MARKS[tile.mark], max(2, self.tile // 48)
        draw.rectangle((left, top, right, bottom), outline=colour, width=width)
        self._draw_badge(draw, tile.mark, right, top)

    def _draw_badge(self, draw: ImageDraw.ImageDraw, mark: Mark, right: int, top: int) -> None:
        """A tick or a cross in the upper right corner, for eyes that cannot tell green from red."""
        side = max(10, self.tile // 9)
        left, unit = right - side + 1, side / 10
        draw.rectangle((left, top, right, top + side - 1), fill=_MARKS[mark])
        tick = ((2.3, 5.2), (4.3, 7.2), (7.7, 2.9))
        cross = (((2.8, 2.8), (7.2, 7.2)), ((7.2, 2.8), (2.8, 7.2)))
        for stroke in (tick,) if mark == "right" else cross:
            path = [(left + x * unit, top + y * unit) for x, y in stroke]
            draw.line(path, fill=_PAPER, width=max(1, round(unit * 1.3)), joint="curve")


def _on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB, what is transparent in it white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, _PAPER)
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
