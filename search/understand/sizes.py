"""Sizes in a text: "size M or L", "uk 8", "xxl"."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from search.understand.words import fold

_SYSTEM = r"(?:uk|us|eu|it|fr)"
_LETTERS = (
    r"(?:\d?x{1,4}[\s-]?(?:s|l|small|large)|(?:extra|x)[\s-]?(?:small|large)|\dxl|one[\s-]size)"
)
_ONE = (
    rf"(?:{_SYSTEM}\s?\d{{1,2}}(?:[.,]5)?|\d{{1,3}}(?:[.,]5)?(?:\s?{_SYSTEM}\b)?|{_LETTERS}"
    r"|small|medium|large|[sml])\b"
)
_SIZES = re.compile(
    rf"\b(?:in\s+)?sizes?\s*[:=]?\s*(?P<after>{_ONE}(?:\s*(?:or|and|/|,)\s*{_ONE})*)"
    rf"|\b(?P<before>(?:{_LETTERS}|[sml])\b)(?:[\s-]sized?\b)"
    rf"|\b(?P<bare>{_LETTERS}|{_SYSTEM}\s?\d{{1,2}}(?:[.,]5)?)\b"
)
_EACH = re.compile(_ONE)
_WORDS = {"small": "s", "medium": "m", "large": "l", "extra": "x"}


@dataclass(frozen=True, slots=True)
class Sized:
    """A place in a text that names sizes.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        keys: The sizes, each by the key of `size_key`.
    """

    start: int
    end: int
    keys: tuple[str, ...]


def sizes(text: str) -> Iterator[Sized]:
    """The sizes that a text of `plain` names, in order."""
    for found in _SIZES.finditer(text):
        named = found["after"] or found["before"] or found["bare"]
        keys = tuple(dict.fromkeys(size_key(one[0]) for one in _EACH.finditer(named)))
        yield Sized(found.start(), found.end(), keys)


def size_key(size: str) -> str:
    """A size in one form: "UK 8" and "8 uk" are uk8, "Extra Large" is xl, "2XL" is xxl."""
    key = re.sub(r"[\s_-]+", "", fold(size)).replace(",", ".")
    for word, letter in _WORDS.items():
        key = key.replace(word, letter)
    if turned := re.fullmatch(rf"([\d.]+)({_SYSTEM})", key):
        return turned[2] + turned[1]
    if counted := re.fullmatch(r"(\d)x([sl])", key):
        return "x" * int(counted[1]) + counted[2]
    return key


def sizes_of(keys: tuple[str, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    """The values of a field for these sizes; European ones may stand without their "EU"."""
    found = (values.get(key) or values.get(key.removeprefix("eu")) for key in keys)
    return tuple(dict.fromkeys(value for value in found if value))
