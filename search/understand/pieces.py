"""A text cut into the phrases that a vocabulary knows, and the words in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from search.understand.decision import Why
from search.understand.numbers import Measured
from search.understand.resolve import Choice
from search.understand.sizes import Sized, sizes, sizes_of
from search.understand.vocabulary import Meaning, Sense, Vocabulary
from search.understand.words import Token, plain, tokens

OF_PARTS = frozenset({"colour", "material"})
"""Aspects that words may tell of a part of a product: "with red stripes"."""


class Role(StrEnum):
    """What becomes of a piece."""

    KEPT = "kept"  # it means what it says
    ASIDE = "aside"  # it stays in the text, and says nothing of the product itself
    HINT = "hint"  # it moves products up
    REFUSED = "refused"  # products that have it are not wanted
    DROPPED = "dropped"  # it leaves the text


@dataclass(slots=True)
class Piece:
    """A phrase of the text.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        words: Its words as in `Token.raw`.
        meaning: What it means; None for a word that is not known.
        measured: The comparison of a number that it is.
        is_apart: Whether a comma or the like stands before it.
        is_corrected: Whether its spelling was.
        role: What becomes of it.
    """

    start: int
    end: int
    words: tuple[str, ...] = ()
    meaning: Meaning | None = None
    measured: Measured | None = None
    is_apart: bool = False
    is_corrected: bool = False
    role: Role = Role.KEPT

    @property
    def sense(self) -> Sense | None:
        """What kind of thing it is."""
        return self.meaning.sense if self.meaning else None

    @property
    def aspect(self) -> str:
        """What it tells of a product."""
        return self.meaning.aspect if self.meaning else ""

    @property
    def refusable(self) -> tuple[str | bool, ...]:
        """The values that "not" before it excludes."""
        return self.meaning.choices[0].refused if self.meaning and self.meaning.choices else ()

    @property
    def breaks(self) -> bool:
        """Whether what was said before ends here."""
        return self.is_apart or self.measured is not None

    @property
    def names(self) -> bool:
        """Whether it is something that products can have, carried or not."""
        return self.sense in (Sense.VALUE, Sense.UNSURE, Sense.MISSING)


def pieces(text: str, vocabulary: Vocabulary) -> list[Piece]:
    """The pieces of a clean text in order: the longest phrases that are known, from the left."""
    words, text = list(tokens(text)), plain(text)
    found = list(_phrases(words, vocabulary))
    fixed = [piece for piece in found if piece.sense is Sense.IDIOM or _is_long(piece)]
    placed: list[Piece] = []
    numbers = [_measured(measured) for measured in vocabulary.numbers.read(text)]
    for piece in (*_sizes(text, vocabulary), *numbers):
        if not any(piece.start < one.end and one.start < piece.end for one in (*fixed, *placed)):
            placed.append(piece)
    if not placed:
        return found
    placed.sort(key=lambda piece: piece.start)
    return list(_woven(words, placed, vocabulary))


def _is_long(piece: Piece) -> bool:
    """Whether it is a name with a number in it, such as a brand's."""
    return piece.names and len(piece.words) > 1


def _woven(words: list[Token], placed: list[Piece], vocabulary: Vocabulary) -> Iterator[Piece]:
    """The placed pieces, and the phrases of the words between them."""
    first = 0
    for piece in placed:
        last = first
        while last < len(words) and words[last].start < piece.start:
            last += 1
        yield from _phrases(words[first:last], vocabulary)
        first = last
        while first < len(words) and words[first].start < piece.end:
            first += 1
        yield piece
    yield from _phrases(words[first:], vocabulary)


def _phrases(words: Sequence[Token], vocabulary: Vocabulary) -> Iterator[Piece]:
    stems = [vocabulary.thesaurus.stem(word.raw) for word in words]
    meant = [
        _corrected(word.raw, stem, vocabulary) for word, stem in zip(words, stems, strict=True)
    ]
    place = 0
    while place < len(words):
        most = 1
        while (
            most <= vocabulary.longest
            and place + most < len(words)
            and not words[place + most].is_apart
        ):
            most += 1
        for count in range(most, 0, -1):
            span = slice(place, place + count)
            meaning = vocabulary.phrases.get("".join(stems[span]))
            is_corrected = False
            if meaning is None and meant[span] != stems[span]:
                meaning = vocabulary.phrases.get("".join(meant[span]))
                is_corrected = meaning is not None
            if meaning and count == 1 and _is_plural_colour(meaning, words[place], stems[place]):
                meaning = None
            if meaning or count == 1:
                break
        if words[place].raw == "-":
            meaning = Meaning(Sense.NOT)
        yield Piece(
            words[place].start,
            words[place + count - 1].end,
            tuple(word.raw for word in words[span]),
            meaning,
            is_apart=words[place].is_apart,
            is_corrected=is_corrected,
        )
        place += count


def _is_plural_colour(meaning: Meaning, word: Token, stem: str) -> bool:
    """Whether it names something else: "Miami Blues"."""
    return meaning.aspect == "colour" and word.raw == f"{stem}s"


def _corrected(word: str, stem: str, vocabulary: Vocabulary) -> str:
    """The word that was meant, when no two that were as likely mean different things."""
    if stem in vocabulary.phrases:
        return stem
    meant = vocabulary.spelling.meant(stem) or vocabulary.spelling.meant(word)
    if len({vocabulary.means(word) for word in meant}) != 1:
        return stem
    return meant[0]


def _measured(measured: Measured) -> Piece:
    return Piece(measured.start, measured.end, measured=measured)


def _sizes(text: str, vocabulary: Vocabulary) -> Iterator[Piece]:
    for sized in sizes(text):
        yield Piece(sized.start, sized.end, meaning=_size(sized, vocabulary))


def _size(sized: Sized, vocabulary: Vocabulary) -> Meaning:
    for field, values in vocabulary.sizes.items():
        if found := sizes_of(sized.keys, values):
            return Meaning(Sense.VALUE, "size", (Choice(field, found, found, Why.SAID, 0),))
    return Meaning(Sense.MISSING, "size")
