"""Lettering for pictures: Pillow's own font, and text cut to the width it has."""

import unicodedata
from collections.abc import Iterator

from PIL import ImageFont

from goods.errors import GoodsError

_LINES = 2  # a shop's title seldom fits in one, and more would drown the pictures
_BEYOND_ASCII = frozenset("©«°±·»“”…™")  # what Pillow's own font can draw besides
_SPELLINGS = {
    "€": "EUR", "£": "GBP", "\u2018": "'", "\u2019": "'", "\u2013": "-", "\u2014": "-",
    "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "ł": "l", "Ł": "L",
}  # fmt: skip


def font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow, this many pixels high."""
    face = ImageFont.load_default(size)
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise GoodsError("this Pillow was built without FreeType; install the official wheel")
    return face


def leading(face: ImageFont.FreeTypeFont) -> int:
    """The distance between two lines of text."""
    return round(face.size * 1.3)


def wrapped(text: str, face: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """The text in at most two lines that fit the width; what is left over becomes an ellipsis."""
    words = _spelled(text).split()
    for _ in range(_LINES - 1):
        count = len(words)
        while count > 1 and face.getlength(" ".join(words[:count])) > width:
            count -= 1
        if count == len(words) or face.getlength(words[0]) > width:
            break
        yield " ".join(words[:count])
        words = words[count:]
    yield _shortened(" ".join(words), face, width)


def _spelled(text: str) -> str:
    """The text in the letters that Pillow's own font has: é becomes e, € becomes EUR."""
    return "".join(
        letter if letter.isascii() or letter in _BEYOND_ASCII else _in_ascii(letter)
        for letter in text
    )


def _in_ascii(letter: str) -> str:
    if letter in _SPELLINGS:
        return _SPELLINGS[letter]
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return bare or ("" if unicodedata.combining(letter) else "?")


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
