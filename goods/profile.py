"""What the values of a column look like, as far as a sample of its rows tells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from goods.product import Picture
from goods.schema import FieldKind
from goods.values import Cell, number, text

_MOSTLY = 0.99  # share of the values that makes a column what it is; others are refused by row
_LENGTH = 1000  # characters of a value that are looked at: more than the longest URL
_FEW = 20  # distinct values that are few in a short catalog, too
_KEYWORD_LENGTH = 64  # characters on average; "Apparel & Accessories > Clothing > Shirts & Tops"
_KEYWORD_WORDS = 4  # words on average; more make a sentence
_TEXT_WORDS = 3  # words on average; what has fewer and hardly repeats is a code

_WORD = re.compile(r"[^\W\d_]+")
_PICTURE = re.compile(r"(?i)\.(jpe?g|png|webp|gif|bmp|tiff?|avif)([?#]|$)")
_TRUTHS = frozenset({"true", "false", "yes", "no", "y", "n"})
_CLAIM = re.compile(
    r"(is|has|in|on|can|with|for|was) .*|(.* )?(active|adult|available|discontinued|enabled|"
    r"exclusive|featured|handmade|kids|men|new|organic|published|recycled|sale|unisex|vegan|"
    r"visible|waterproof|women)"
)
"""A column name, as words, that is true or false of a product."""


@dataclass(frozen=True)
class Profile:
    """One column of a sample.

    Attributes:
        column: Its name in the catalog.
        cells: Its cells, one per row.
    """

    column: str
    cells: Sequence[Cell]

    def split(self, separator: str) -> "Profile":
        """The same column, its texts taken for lists of what the separator stands between."""
        cells = [c.split(separator) if isinstance(c, str) else c for c in self.cells]
        return replace(self, cells=[tuple(c) if isinstance(c, list) else c for c in cells])

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name, in lower case."""
        spaced = re.sub(r"(?<=[a-z\d])(?=[A-Z])", " ", self.column)
        return tuple(re.findall(r"[^\W_]+", spaced.lower()))

    @property
    def key(self) -> str:
        """Its name in lower case, without punctuation."""
        return "".join(self.words)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """How its values begin, without missing ones; those of lists one by one."""
        lists = (cell if isinstance(cell, tuple) else (cell,) for cell in self.cells)
        return tuple(value[:_LENGTH] for value in map(text, chain.from_iterable(lists)) if value)

    @cached_property
    def distinct(self) -> int:
        """How many different values it has."""
        return len(set(self.values))

    @property
    def names_products(self) -> bool:
        """Whether nearly every row has a value, and another one."""
        return self.distinct >= _MOSTLY * len(self.cells) > 0

    @property
    def counts_rows(self) -> bool:
        """Whether the values are only 0, 1, 2 ... or 1, 2, 3 ..."""
        if len(self.values) < 2 or self.values[0] not in ("0", "1"):
            return False
        first = int(self.values[0])
        return all(value == str(row) for row, value in enumerate(self.values, first))

    @cached_property
    def shows_pictures(self) -> bool:
        """Whether the values are pictures, or paths or URLs of pictures."""
        found = sum(bool(_PICTURE.search(value)) for value in self.values)
        embedded = any(isinstance(cell, Picture) for cell in self.cells)
        return embedded or found > len(self.values) / 2

    @cached_property
    def kind(self) -> FieldKind | None:
        """How it can be compared; None when its values hardly repeat, or there are none."""
        if not self.values or self.shows_pictures or self.are_links:
            return None
        if self._is_boolean:
            return FieldKind.BOOLEAN
        if self._is_number:
            return FieldKind.NUMBER
        return FieldKind.KEYWORD if self._is_keyword else None

    @property
    def reads_as_text(self) -> bool:
        """Whether the values are sentences, or at least phrases."""
        return not self.are_links and self._mean_words >= _TEXT_WORDS

    @property
    def _is_boolean(self) -> bool:
        found = {value.lower() for value in self.values}
        if found <= {"0", "1"}:  # a stock of 0 and 1 is a number, unless the name makes a claim
            return bool(_CLAIM.fullmatch(" ".join(self.words)))
        return found <= _TRUTHS

    @property
    def _is_number(self) -> bool:
        if any(isinstance(cell, tuple) for cell in self.cells):
            return False
        return sum(map(_parses, self.values)) >= _MOSTLY * len(self.values)

    @property
    def _is_keyword(self) -> bool:
        mean_length = sum(map(len, self.values)) / len(self.values)
        if mean_length > _KEYWORD_LENGTH:
            return False
        if self.distinct <= len(self.values) / _FEW:
            return True
        is_few = self.distinct <= max(_FEW, len(self.values) / 2)
        return is_few and self._mean_words <= _KEYWORD_WORDS

    @property
    def are_links(self) -> bool:
        """Whether the values are URLs."""
        return sum("://" in value for value in self.values) > len(self.values) / 2

    @cached_property
    def _mean_words(self) -> float:
        words = sum(len(_WORD.findall(value)) for value in self.values)
        return words / max(1, len(self.values))


def _parses(value: str) -> bool:
    try:
        number(value)
    except ValueError:
        return False
    return True
