"""Contact sheets: geometry, text that fits, marks and failures."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from goods.errors import GoodsError
from goods.lettering import font, wrapped
from goods.sheet import Mark, SheetRow, Tile, contact_sheet, save_sheet

TILE = 96


def tile(colour: str = "red", size: tuple[int, int] = (40, 40), mark: Mark | None = None) -> Tile:
    return Tile(Image.new("RGB", size, colour), ("A title", "red · 12.00"), mark)


def sheet_of(*tiles: Tile, columns: int = 3, heading: str = "query") -> Image.Image:
    return contact_sheet([SheetRow(heading, tiles)], columns=columns, tile=TILE)


def pixels(image: Image.Image) -> NDArray[np.int64]:
    return np.asarray(image, dtype=np.int64)


def is_red(image: Image.Image) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(pixels(image), 2, 0)
    found: NDArray[np.bool_] = (red > 240) & (green < 20) & (blue < 20)
    return found


def test_more_tiles_than_columns_go_on_below() -> None:
    one, two = sheet_of(*[tile()] * 3), sheet_of(*[tile()] * 4)
    assert one.width == two.width
    assert TILE < two.height - one.height < 2 * TILE


def test_every_tile_is_drawn_once_at_full_size() -> None:
    assert is_red(sheet_of(*[tile(size=(500, 500))] * 7)).sum() == pytest.approx(
        7 * TILE**2, rel=0.05
    )


def test_a_picture_is_never_distorted() -> None:
    for width, height in ((30, 120), (120, 30), (7, 9)):
        rows, columns = np.nonzero(is_red(sheet_of(tile(size=(width, height)))))
        ratio = (np.ptp(columns) + 1) / (np.ptp(rows) + 1)
        assert ratio == pytest.approx(width / height, rel=0.1)
        assert max(np.ptp(columns), np.ptp(rows)) >= TILE - 3


@pytest.mark.parametrize(("mark", "channel"), [("right", 1), ("wrong", 0)])
def test_a_mark_frames_the_picture_in_its_colour(mark: Mark, channel: int) -> None:
    marked, bare = (
        pixels(sheet_of(tile("blue", mark=value), heading="")) for value in (mark, None)
    )
    changed = marked[(marked != bare).any(axis=2)]
    frame = changed[changed.sum(axis=1) < 600]  # the rest is the white tick or cross
    assert len(frame) > 4 * TILE
    assert (frame.argmax(axis=1) == channel).all()


def test_a_missing_picture_leaves_a_placeholder() -> None:
    missing = pixels(sheet_of(Tile(None, ("gone",))))
    assert missing.shape == pixels(sheet_of(Tile(Image.new("L", (9, 9)), ("gone",)))).shape
    assert (missing < 160).any()


def test_a_transparent_picture_lies_on_white() -> None:
    clear = Tile(Image.new("RGBA", (40, 40), (255, 0, 0, 0)), ())
    assert not is_red(sheet_of(clear)).any()
    assert (pixels(sheet_of(clear))[60:70, 30:60] == 255).all()


def test_long_text_stays_below_its_own_tile() -> None:
    long = Tile(Image.new("RGB", (40, 40), "red"), ("W" * 400, "word " * 200, "W" * 30 + " W" * 90))
    picture = pixels(contact_sheet([SheetRow("", (long, tile()))], columns=2, tile=TILE))
    red = np.nonzero(is_red(Image.fromarray(picture.astype(np.uint8))).any(axis=0))[0]
    gap = [x for x in range(red.min(), red.max()) if x not in set(red)]
    below = picture[TILE + 20 :]
    assert len(gap) >= 4
    assert (below[:, gap[2:-2]] == 255).all()


def test_rows_may_be_empty_and_a_sheet_may_have_none() -> None:
    assert contact_sheet([], title="Nothing yet").height < 100
    empty = contact_sheet([SheetRow("striped shirt", ())])
    assert (pixels(empty) < 128).any()


def test_a_title_and_headings_take_room_of_their_own() -> None:
    rows = [SheetRow("query", (tile(),))]
    bare, titled = contact_sheet(rows), contact_sheet(rows, title="Base against fine-tuned")
    assert titled.height > bare.height
    assert titled.width == bare.width


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_a_picture_of_any_mode_is_shown(mode: str) -> None:
    assert sheet_of(Tile(Image.new(mode, (20, 30)), ("any mode",))).mode == "RGB"


def test_letters_are_drawn_as_a_shop_writes_them_and_those_that_the_font_lacks_are_marked() -> None:
    european = "Café Grünwald \u2013 12 €, Blå “Ærø” 30 °C, Łódź, Ещё"
    assert list(wrapped(european, font(12), 2000)) == [european]
    assert list(wrapped("e\u0301 毛衣 🎉", font(12), 2000)) == ["\u00e9 ?? ?"]
    drawn, bare = (pixels(sheet_of(tile(), heading=text)) for text in ("été", "ete"))
    assert (drawn != bare).any(), "accents are seen"


def test_text_wraps_once_and_then_ends_in_an_ellipsis() -> None:
    first, second = wrapped(
        "Nordby Striped Linen Shirt, Long Sleeve, in Midnight Navy", font(12), 120
    )
    assert first.startswith("Nordby Striped")
    assert second.endswith("…")
    assert list(wrapped("Short title", font(12), 120)) == ["Short title"]
    assert list(wrapped("", font(12), 120)) == [""]


@given(st.text(st.characters(), max_size=80), st.integers(20, 300))
def test_any_text_fits_its_width_in_two_lines(text: str, width: int) -> None:
    face = font(12)
    lines = list(wrapped(text, face, width))
    assert 1 <= len(lines) <= 2
    assert all(face.getlength(line) <= width for line in lines)


def test_a_sheet_is_saved_by_its_suffix(tmp_path: Path) -> None:
    for suffix, kind in ((".png", "PNG"), (".jpg", "JPEG"), (".webp", "WEBP")):
        save_sheet(sheet_of(tile()), tmp_path / f"hits{suffix}")
        with Image.open(tmp_path / f"hits{suffix}") as saved:
            assert saved.format == kind


@pytest.mark.parametrize("name", ["hits.txt", "hits", "hits.pdfx"])
def test_an_unknown_suffix_is_named_with_the_remedy(name: str, tmp_path: Path) -> None:
    with pytest.raises(GoodsError, match=r"hits.*\.png"):
        save_sheet(sheet_of(tile()), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(GoodsError, match=r"missing.*cannot be written"):
        save_sheet(sheet_of(tile()), tmp_path / "missing" / "hits.png")


def test_a_sheet_too_tall_for_its_format_is_refused(tmp_path: Path) -> None:
    for suffix in (".jpg", ".webp"):
        with pytest.raises(GoodsError, match=r"tall.*cannot be written"):
            save_sheet(Image.new("RGB", (8, 70_000)), tmp_path / f"tall{suffix}")


def test_nonsense_measures_are_refused() -> None:
    for columns, side in ((0, 96), (3, 4)):
        with pytest.raises(ValueError, match="a sheet needs"):
            contact_sheet([], columns=columns, tile=side)
