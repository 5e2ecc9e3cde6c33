"""Values of a keyword field that are probably another value, written otherwise.

Two kinds. *Spellings* are one word but for capitals, spaces, punctuation or a plural s: "T-Shirt",
"t shirt", "Tshirts". *Typos* are one edit away (a letter wrong, missing, too many, or two swapped:
Damerau 1964), and rare beside a common value. A word that titles use is a word, not a typo: that
keeps Skirts from becoming Shirts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from goods.product import Product
from goods.schema import CatalogSchema, FieldKind
from ingest.audit.findings import Finding, Kind

_TIMES = 10  # as frequent has the common value to be
_RARE_SHARE = 0.001  # of the products that have the field; two are always rare
_LEAST_LETTERS = 5  # of a word with a typo: "Rose" and "Rust", "Tops" and "Tips" are words
_WORDS = 3  # titles that use a word, so that it is one
_MAX_LENGTH = 64  # of a value that is looked at; longer ones are no vocabulary
_MAX_VALUES = 20_000  # different ones; a field with more holds names, not values
_BLOCK = 256  # rare values compared at a time
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one field: how many products have each, and some of these."""

    field: str
    counts: Counter[str]
    examples: Mapping[str, Sequence[str]]


def typo_findings(products: Sequence[Product], schema: CatalogSchema) -> Iterator[Finding]:
    """Spellings and typos of every keyword field."""
    known = _words(product.title for product in products)
    for field in schema.of_kind(FieldKind.KEYWORD):
        values = _values(products, field.name)
        if len(values.counts) > _MAX_VALUES:
            continue
        explained = set()
        for finding in _spellings(values):
            explained.add(finding.given)
            yield finding
        yield from (typo for typo in _typos(values, known) if typo.given not in explained)


def _values(products: Sequence[Product], name: str) -> _Values:
    counts, examples = Counter[str](), defaultdict[str, list[str]](list)
    for product in products:
        value = product.attributes.get(name, ())
        for one in value if isinstance(value, tuple) else (str(value),):
            counts[one] += 1
            if len(examples[one]) < _EXAMPLES:
                examples[one].append(product.id)
    return _Values(name, counts, examples)


def _spellings(values: _Values) -> Iterator[Finding]:
    """Every spelling but the most frequent of its kind; plurals only where they are rare."""
    same, plural = defaultdict(list), defaultdict(list)
    for value, _ in values.counts.most_common():  # so that the first of each list is the commonest
        if key := _folded(value):
            same[key].append(value)
            plural[_singular(key)].append(value)
    explained = set()
    for best, *others in same.values():
        for other in others:
            explained.add(other)
            yield _found(Kind.SPELLING, values, other, best, 0.95)
    for best, *others in plural.values():
        for other in others:
            if other not in explained and _TIMES * values.counts[other] <= values.counts[best]:
                yield _found(Kind.SPELLING, values, other, best, 0.7)


def _typos(values: _Values, known: Counter[str]) -> Iterator[Finding]:
    total = values.counts.total()
    limit = max(2, _RARE_SHARE * total)
    short = [value for value in values.counts if len(value) <= _MAX_LENGTH]
    rare = [value for value in short if values.counts[value] <= limit]
    common = [value for value in short if values.counts[value] >= _TIMES]
    if not common:
        return
    folded = [value.casefold() for value in common]
    for start in range(0, len(rare), _BLOCK):
        block = rare[start : start + _BLOCK]
        distances = cdist(
            [value.casefold() for value in block],
            folded,
            scorer=OSA.distance,
            score_cutoff=1,
            dtype=np.uint8,
        )
        for row, value in zip(distances, block, strict=True):
            near = [common[n] for n in np.flatnonzero(row == 1).tolist()]
            meant = [other for other in near if _may_mean(value, other, values.counts, known)]
            if meant:
                best = max(meant, key=values.counts.__getitem__)
                yield _found(Kind.TYPO, values, value, best, 0.8 if len(meant) == 1 else 0.6)


def _may_mean(value: str, other: str, counts: Counter[str], known: Counter[str]) -> bool:
    """Whether a value one edit from a common one may be a slip of it."""
    if _TIMES * counts[value] > counts[other]:
        return False
    words, meant = _split(value), _split(other)
    if len(words) != len(meant):
        return False
    differing = [(one, two) for one, two in zip(words, meant, strict=True) if one != two]
    return all(
        min(len(one), len(two)) >= _LEAST_LETTERS
        and not re.search(r"\d", one + two)  # "Fall 2011" and "Fall 2012" are two
        and (one[0] == two[0] or one[:2] == two[1::-1])  # slips spare the first letter
        and known[_singular(one)] < _WORDS
        for one, two in differing
    )


def _found(kind: Kind, values: _Values, given: str, best: str, confidence: float) -> Finding:
    few, many = values.counts[given], values.counts[best]
    return Finding(
        kind,
        f"{values.field} {given!r} ({few:,} {'product' if few == 1 else 'products'}) is nearly "
        f"{best!r} ({many:,})",
        confidence,
        tuple(values.examples[given]),
        few,
        values.field,
        given,
        best,
    )


def _folded(value: str) -> str:
    """The letters and digits alone, in lower case; a sign that counts, such as + or &, stays."""
    return re.sub(r"[\s\-_.,/'\u2019\"()]+", "", value.casefold())


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _split(value: str) -> list[str]:
    return re.findall(r"\w+", value.casefold())


def _words(titles: Iterable[str]) -> Counter[str]:
    """In how many titles each word is, without a plural s."""
    counts = Counter[str]()
    for title in titles:
        counts.update({_singular(word) for word in _split(title)})
    return counts
