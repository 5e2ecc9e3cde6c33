"""A text as words: cleaned, cut into tokens that know their place, and brought to one form."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category, combining, normalize

MAX_LENGTH = 1000
"""Characters of a text that are read; no text tower reads as far."""

_TOKEN = re.compile(
    r"\bw/o?(?!\w)"
    r"|(?<!\S)-(?=[^\W\d_])"  # "shirt -red"
    r"|[&/+]"
    r"|\d+(?:[.,]\d+)+(?![^\W_])"
    r"|[^\W_]+(?:['\u2019\u2018`\u00b4][^\W_]+)*",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[^\s\w'\u2019\u2018`\u00b4\-\u2010-\u2015]")
_ABBREVIATED = {"&": "and", "w/o": "without", "w/": "with"}
_APOSTROPHES = re.compile(r"['\u2019\u2018`\u00b4]")


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text.

    Attributes:
        raw: It in lower case without accents and apostrophes: "women's" is "womens".
        start: Where it begins in the text.
        end: Where it ends.
        is_apart: Whether a comma or the like stands before it.
    """

    raw: str
    start: int
    end: int
    is_apart: bool


def clean(text: str) -> str:
    """The text in one Unicode form, without invisible characters and runs of spaces."""
    text = text[:MAX_LENGTH]
    if not text.isascii():
        visible = "".join(letter for letter in text if category(letter) != "Cf")
        text = normalize("NFKC", visible)[:MAX_LENGTH]
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())


def plain(text: str) -> str:
    """The text in lower case without accents, letter for letter: places stay what they are."""
    if text.isascii():
        return text.lower()
    return "".join(map(_plain, text))


@lru_cache(maxsize=5_000)
def _plain(letter: str) -> str:
    if category(letter) == "Pd":
        return "-"
    base = normalize("NFD", letter)[0].lower()
    return base if len(base) == 1 else letter


def tokens(text: str) -> Iterator[Token]:
    """The words and numbers of a clean text, in order."""
    end = 0
    for found in _TOKEN.finditer(text):
        is_apart = bool(_SEPARATOR.search(text, end, found.start()))
        word = fold(found[0])
        yield Token(_ABBREVIATED.get(word, word), found.start(), end := found.end(), is_apart)


@lru_cache(maxsize=50_000)
def fold(word: str) -> str:
    """The word in lower case, without accents and apostrophes."""
    word = _APOSTROPHES.sub("", word.casefold())
    if word.isascii():
        return word
    return "".join(letter for letter in normalize("NFKD", word) if not combining(letter))


def singular(word: str, plurals: Collection[str] = ()) -> str:
    """One form for singular and plural, right only in that both sides get the same.

    Args:
        word: A folded word.
        plurals: Words that are another word without their last letter: "shorts".
    """
    if len(word) < 4 or word in plurals:
        return word
    if word.endswith("arves"):
        return word[:-3] + "f"
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    return word[:-2] + "y" if word.endswith("ie") and len(word) > 4 else word


def name_words(name: str) -> list[str]:
    """The words of a field's name: base, colour of "baseColour"."""
    spaced = re.sub(r"(?<=[a-z\d])(?=[A-Z])", " ", name)
    return [fold(word) for word in re.findall(r"[^\W_]+", spaced)]
