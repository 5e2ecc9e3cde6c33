"""The words of a product and of a query, as sparse vectors that an engine compares by BM25.

A product's vector holds the term-frequency part of Okapi BM25 for each of its words; the engine
multiplies by the inverse document frequency, which it keeps up to date (its IDF modifier). A word's
place in the vector is a hash of it, so that no vocabulary has to be kept: among a million words, a
given one shares its place with another once in four thousand cases.

Words are lower-cased and lose their accents, and plurals their ending: by Harman's S stemmer ("How
effective is suffixing?", JASIS 42, 1991) and, which it leaves out, "dresses" is "dress". "83-A" and
"t-shirt" count as a whole and by their parts, so that a product number hits exactly, however it is
punctuated.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from unicodedata import combining, normalize

from goods.schema import CatalogSchema, FieldKind

WORDS = "words"
"""What the sparse vector of a point is called; the dense one has no name."""

K1, B = 1.2, 0.75
"""Okapi BM25's usual constants."""

AVERAGE_LENGTH = 20
"""Words of a usual product: fixed, so that a product's vector depends on no other product."""

_WORD = re.compile(r"[^\W_]+(?:[-_./'\u2019&+][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Words:
    """A sparse vector: distinct places, ascending, and the weight at each."""

    places: tuple[int, ...]
    weights: tuple[float, ...]


def product_words(payload: Mapping[str, Any], schema: CatalogSchema) -> Words:
    """What a product is called: its id, title, texts and keywords, weighted by BM25."""
    counts = Counter(word for text in _texts(payload, schema) for word in words(text))
    counts = counts or Counter([payload["id"]])  # no point is without: engines count on it
    length = K1 * (1 - B + B * counts.total() / AVERAGE_LENGTH)
    return _vector({w: n * (K1 + 1) / (n + length) for w, n in counts.items()})


def query_words(text: str) -> Words:
    """What a query asks for: each word once."""
    return _vector(dict.fromkeys(words(text), 1.0))


def share_of(asked: Words, payload: Mapping[str, Any], schema: CatalogSchema) -> float:
    """Share of the words of a query that a product has, 0 to 1; 0 of none."""
    if not asked.places:
        return 0.0
    has = {_place(word) for text in _texts(payload, schema) for word in words(text)}
    return sum(place in has for place in asked.places) / len(asked.places)


@lru_cache(20_000)  # keywords come again and again
def words(text: str) -> tuple[str, ...]:
    """The words of a text, in order; one with marks inside is followed by its parts."""
    if not text.isascii():
        text = "".join(c for c in normalize("NFKD", text) if not combining(c))
    return tuple(_parted(text.casefold()))


def _parted(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        yield _stem(word)
        parts = _PART.findall(word)
        if len(parts) > 1:
            yield from map(_stem, parts)


def _texts(payload: Mapping[str, Any], schema: CatalogSchema) -> Iterator[str]:
    yield payload["id"]
    yield payload.get("title", "")
    yield from payload.get("texts", {}).values()
    for field in schema.of_kind(FieldKind.KEYWORD):
        value = payload.get(field.name, "")
        yield from value if isinstance(value, list) else [value]


def _vector(weights: Mapping[str, float]) -> Words:
    by_place = {_place(word): weight for word, weight in weights.items()}
    places = sorted(by_place)
    return Words(tuple(places), tuple(by_place[place] for place in places))


@lru_cache(100_000)  # a catalog says the same few thousand words over and over
def _place(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


@lru_cache(100_000)
def _stem(word: str) -> str:
    if len(word) < 4 or not word.replace("-", "").isalpha():
        return word
    if word.endswith(("sses", "ches", "shes", "xes", "zzes")):
        return word[:-2]
    if len(word) > 4 and word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word
