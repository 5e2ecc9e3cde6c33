"""Lettering for pictures: DejaVu Sans, which comes with matplotlib, and text cut to its width."""

import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

from goods.errors import GoodsError

_LINES = 2  # a shop's title seldom fits in one, and more would drown the pictures


def font(size: int) -> ImageFont.FreeTypeFont:
    """Letters of Europe's languages and of some others, this many pixels high."""
    try:
        return ImageFont.truetype(_file(), size)
    except ImportError as error:
        raise GoodsError(
            "this Pillow was built without FreeType; install the official wheel"
        ) from error


def leading(face: ImageFont.FreeTypeFont) -> int:
    """The distance between two lines of text."""
    return round(face.size * 1.3)


def wrapped(text: str, face: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """The text in at most two lines that fit the width; what is left over becomes an ellipsis."""
    words = _drawable(text).split()
    for _ in range(_LINES - 1):
        count = len(words)
        while count > 1 and face.getlength(" ".join(words[:count])) > width:
            count -= 1
        if count == len(words) or face.getlength(words[0]) > width:
            break
        yield " ".join(words[:count])
        words = words[count:]
    yield _shortened(" ".join(words), face, width)


@cache
def _file() -> Path:
    return Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@cache
def _letters() -> Collection[int]:
    return FT2Font(str(_file())).get_charmap().keys()


def _drawable(text: str) -> str:
    """The text with a question mark for each letter that the font lacks."""
    return "".join(
        letter if ord(letter) in _letters() or letter.isspace() else "?"
        for letter in unicodedata.normalize("NFC", text)
    )


def _shortened(text: str, face: ImageFont.FreeTypeFont, width: int) -> str:
    """The text, or as much of its start as fits with an ellipsis."""
    if face.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"
